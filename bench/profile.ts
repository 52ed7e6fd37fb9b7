import { readFileSync } from 'node:fs';

/**
 * Reads a profile that `npm run bench -- --profile` made and prints where the time went: by package or folder of ours, then by
 * function. Self time, so that the numbers add up.
 */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const [, , file = ''] = process.argv;
const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
const byPlace = new Map<string, number>();
const byFunction = new Map<string, number>();
let total = 0;
profile.samples.forEach((id, index) => {
  const frame = nodes.get(id);
  const time = profile.timeDeltas[index] ?? 0;
  if (frame === undefined || frame.functionName === '(idle)') return;
  total += time;
  const place = placeOf(frame.url, frame.functionName);
  byPlace.set(place, (byPlace.get(place) ?? 0) + time);
  const name = `${frame.functionName || '(anonymous)'}  ${frame.url.replace(/^.*\/(node_modules|dist)\//, '')}:${frame.lineNumber + 1}`;
  byFunction.set(name, (byFunction.get(name) ?? 0) + time);
});
console.log(`${file}: ${Math.round(total / 1_000)} ms of work`);
for (const table of [byPlace, byFunction]) {
  console.log('');
  const rows = [...table].sort(([, a], [, b]) => b - a).slice(0, 25);
  for (const [name, time] of rows) console.log(`${((time / total) * 100).toFixed(1).padStart(6)} %  ${name}`);
}

/** A package, a folder of our own, or what node itself did. */
function placeOf(url: string, functionName: string): string {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (inPackage) return inPackage[1] ?? url;
  const ours = /\/dist\/(.*)\/[^/]+$/.exec(url);
  if (ours) return `ours: ${ours[1]}`;
  return url.startsWith('node:') ? url.split('/').slice(0, 2).join('/') : functionName;
}
