import { bodyForms } from './body-forms';

describe('bodyForms', () => {
  it('makes none that is many times as large as the body', () => {
    const body = Buffer.from(`${'['.repeat(60)}${'{},'.repeat(100_000)}0${']'.repeat(60)}`);
    const sizes = Array.from(bodyForms(body), (form) => form.body.length);
    expect(Math.max(...sizes)).toBeLessThan(3 * body.length);
  });

  it('indents what stays small', () => {
    const forms = Array.from(bodyForms(Buffer.from('{"a":[1,{"b":2}]}')), ({ body }) => body.toString());
    expect(forms).toContain('{\n    "a": [\n        1,\n        {\n            "b": 2\n        }\n    ]\n}');
  });
});
