import type { FactoryProvider } from '@nestjs/common';
import type { SectionClass } from './config-section';
import { type Settings, loadConfig } from './load-config';

let settings: Settings | undefined;

/** The settings of this process, read at the first call. @throws ConfigError. */
export const currentSettings = (): Settings => (settings ??= loadConfig());

/** Puts other settings in place before an application is made; for tests that make one in their own process. */
export const useSettings = (other: Settings): void => {
  settings = other;
};

/** The provider of a section: inject the validated, frozen instance by its class. */
export const provideConfig = <T extends object>(type: SectionClass<T>): FactoryProvider<T> => ({
  provide: type,
  useFactory: () => currentSettings().section(type),
});
