import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { findProgram } from './processes';

export interface Wanted {
  /** As people call it. */
  name: string;
  /** The program that shows it is installed, and where it may stand besides PATH. */
  program: string;
  folders: () => string[];
  debianPackage: string;
  /** The variable that names a running one instead, with an example of its value. */
  variable: string;
  example: string;
  composeService: string;
}

/** The program's path; installs it first where that is possible without asking. */
export async function ensureProgram(wanted: Wanted): Promise<string> {
  const found = findProgram(wanted.program, wanted.folders());
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(advice(wanted, 'is not installed'));
  process.stderr.write(`\nThe tests need ${wanted.name}, which is not installed: running apt-get install ${wanted.debianPackage}\n`);
  const problem = await aptInstall(wanted.debianPackage);
  const installed = findProgram(wanted.program, wanted.folders());
  if (installed === undefined) throw new Error(`${advice(wanted, 'could not be installed')}\n${problem}`);
  process.stderr.write(`${wanted.name} is installed; the tests run a private node of it, not the system's service.\n`);
  return installed;
}

const advice = (wanted: Wanted, problem: string): string =>
  `${wanted.name} ${problem}. Install it (${wanted.debianPackage} on Debian), or start one with ` +
  `\`docker compose up -d ${wanted.composeService}\` and give its URL: ${wanted.variable}=${wanted.example}`;

/**
 * One at a time on this machine: flock is dropped by the system if we die. While it runs, policy-rc.d keeps Debian from
 * starting the package's own service; one that is there already (containers have it) is left alone.
 */
const SCRIPT = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$1"; }
install "$1" || { apt-get update && install "$1"; }
`;

/** Returns the end of what apt-get said. */
async function aptInstall(debianPackage: string): Promise<string> {
  const child = spawn('flock', ['/tmp/hookline-apt-get.lock', 'sh', '-c', SCRIPT, 'install', debianPackage], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  await once(child, 'close');
  return output;
}
