import type { Field, PresetSettings } from './preset';

/** The secrets of a preset that cannot do without. */
export const secretsField = (description: string, check?: (secret: string) => string | undefined): Field => ({
  kind: 'secret',
  required: true,
  description,
  ...(check !== undefined && { check }),
});

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
