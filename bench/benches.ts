import { affinity } from './affinity';
import { backlog } from './backlog';
import type { Bench } from './bench';
import { inDoor } from './in-door';
import { ingestCpu } from './ingest-cpu';
import { isolation } from './isolation';
import { latency } from './latency';
import { match } from './match';
import { memory } from './memory';
import { pipeline, pipelineWithThreads } from './pipeline';

/** The first one is what runs when nothing is asked for. */
export const BENCHES: readonly Bench[] = [
  pipeline,
  inDoor,
  ingestCpu,
  latency,
  isolation,
  match,
  affinity,
  backlog,
  memory,
  pipelineWithThreads,
];
