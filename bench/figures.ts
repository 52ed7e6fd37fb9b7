/** One figure: ours, the bare pipeline's of the same run, and their ratio. */
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

  print(): void {
    const value = median(this.values);
    const limit = median(this.limits);
    const ratio = Math.round((value / limit) * 100) / 100;
    console.log(JSON.stringify({ name: this.name, value: Math.round(value), unit: this.unit, limit: Math.round(limit), ratio }));
  }
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}
