import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Metrics } from './metrics.service';

interface AlertRules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
}

const root = join(__dirname, '../..');
const names = new Set(new Metrics().registry.getMetricsAsArray().map(({ name }) => name));
const rules = (parse(readFileSync(join(root, 'examples/prometheus-alerts.yaml'), 'utf8')) as AlertRules).groups.flatMap(
  (group) => group.rules,
);

const metricsIn = (text: string): string[] => text.match(/hookline_[a-z_]+[a-z]/g) ?? [];

describe('what operators are told to alarm on', () => {
  it.each(rules)('$alert asks for metrics that there are', ({ expr, annotations }) => {
    expect(metricsIn(expr).length).toBeGreaterThan(0);
    expect(metricsIn(expr).filter((name) => !names.has(name))).toEqual([]);
    expect(annotations.summary).not.toBe('');
  });

  it('is in docs/operations.md by names that there are', () => {
    const named = metricsIn(readFileSync(join(root, 'docs/operations.md'), 'utf8'));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !names.has(name))).toEqual([]);
  });
});
