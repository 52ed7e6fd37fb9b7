import { randomBytes } from 'node:crypto';
import type { Field, PresetSettings } from './preset';

/** The secrets of a preset that cannot do without. */
export const secretsField = (description: string, more: Pick<Field, 'check' | 'generate'> = {}): Field => ({
  kind: 'secret',
  required: true,
  description,
  ...more,
});

/** For `Field.generate`: 256 random bits in hex, which may be read as text or base64 as well. */
export const randomSecret = (): string => randomBytes(32).toString('hex');

/** Of schemes that sign a timestamp. */
export const TOLERANCE_FIELD: Field = {
  kind: 'number',
  default: 300,
  description: 'Seconds that the signed time may be before or after the time of receipt, 1 to 86,400',
  check: (seconds: number) =>
    Number.isInteger(seconds) && seconds >= 1 && seconds <= 86_400 ? undefined : 'must be 1 to 86,400 whole seconds',
};

export const toleranceOf = (settings: PresetSettings): number => settings['toleranceSeconds'] as number;

/** A field of kind text that may be missing. */
export const textSetting = (settings: PresetSettings, name: string): string | undefined => settings[name] as string | undefined;
