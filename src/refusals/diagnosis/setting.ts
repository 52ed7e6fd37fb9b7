import type { SourceCheck } from '../../http/door';

/** Whether it has a `verification` to set; a channel has its settings in the configuration. */
export const isSource = ({ secretSetting }: SourceCheck): boolean => secretSetting.startsWith('verification.');

/** A field of the source's `verification`, in words; undefined where it has none of that name. */
export const fieldOf = (check: SourceCheck, field: string): string | undefined =>
  isSource(check) && field in check.preset.fields ? `verification.${field} of ${check.title}` : undefined;

/** Where its secrets are set, in words. */
export const secretsOf = (check: SourceCheck): string =>
  isSource(check) ? `${check.secretSetting} of ${check.title}` : check.secretSetting;
