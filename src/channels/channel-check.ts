import type { SourceCheck } from '../http/door';
import { findPreset } from '../presets/presets';

/** How a channel's requests are checked: by the preset of its platform. */
export function channelCheck(name: string, type: string, rest: Omit<SourceCheck, 'source' | 'title' | 'preset'>): SourceCheck[] {
  const preset = findPreset(type);
  return preset === undefined ? [] : [{ source: name, title: `the channel ${name}`, preset, ...rest }];
}
