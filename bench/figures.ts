import { type FigureLine, figureLine } from './bench';

/** One figure over several rounds: ours, the bare pipeline's of the same run, and their ratio. */
export class Figure {
  private readonly values: number[] = [];
  private readonly limits: number[] = [];

  constructor(
    readonly name: string,
    private readonly unit: string,
  ) {}

  add(kind: 'value' | 'limit', measured: number): void {
    (kind === 'value' ? this.values : this.limits).push(measured);
    process.stderr.write(`${this.name} ${kind === 'value' ? 'gateway' : 'bare'}: ${Math.round(measured)} ${this.unit}\n`);
  }

  line(): FigureLine {
    return figureLine(this.name, this.unit, median(this.values), median(this.limits));
  }
}

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);

/** @param share 0.5 is the median. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}
