/** One line of the output. */
export interface FigureLine {
  name: string;
  /** Ours. */
  value: number;
  unit: string;
  /** What ours is compared with: the bare pipeline, the same without the load, or a fixed bar. */
  limit: number;
  /** value / limit, to two digits. */
  ratio: number;
}

export interface BenchContext {
  /** How often each side is measured; the sides take turns. */
  rounds: number;
  /** 1 is the full size; a figure from less says nothing, and is for trying the bench itself. */
  scale: number;
  /** Where CPU profiles of the gateway go; absent: none are made. */
  profileFolder?: string;
}

/**
 * One or more figures that are measured together. RabbitMQ and PostgreSQL run already: `acquireVhost()` and
 * `acquireDatabase()` of test/support/services give parts of them. Each bench is listed in benches.ts.
 */
export interface Bench {
  /** Of its figures; `--only=` takes each of them. */
  names: readonly string[];
  /** Cleans up after itself, also when it fails. Progress goes to stderr. */
  run(context: BenchContext): Promise<FigureLine[]>;
}

export function figureLine(name: string, unit: string, value: number, limit: number): FigureLine {
  const digits = unit === 'ms' ? 2 : 0;
  return { name, value: rounded(value, digits), unit, limit: rounded(limit, digits), ratio: rounded(value / limit, 2) };
}

function rounded(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
