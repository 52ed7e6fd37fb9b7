import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * The layers of docs/architecture.md, lowest first. A folder may import from its own layer and from lower ones.
 * `app.module.ts` and `main.ts` stand above all of them.
 */
const layers = [
  ['core'],
  ['presets'],
  ['config', 'metrics'],
  ['auth', 'broker', 'storage', 'secrets', 'http', 'refusals'],
  ['dispatcher'],
  ['channels', 'sources', 'token-webhooks', 'subscribers', 'call-center', 'affinity', 'threads'],
  ['dashboard', 'health', 'ledger', 'retention'],
];

const zones = layers.slice(0, -1).flatMap((folders, rank) =>
  folders.map((folder) => ({
    target: `./src/${folder}`,
    from: layers
      .slice(rank + 1)
      .flat()
      .map((above) => `./src/${above}`),
    message: 'Imports go from upper layers to lower ones (docs/architecture.md).',
  })),
);

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'data', 'node_modules'] },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-depth': ['error', 4],
      'no-console': 'error',
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', '**/*.spec.ts'],
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'no-console': 'off',
      // Bodies of HTTP answers are read as `any` in tests; the assertions are their types.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // Only the configuration reads the environment.
    files: ['src/**/*.ts'],
    ignores: ['src/config/**', 'src/**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "MemberExpression[object.name='process'][property.name='env']", message: 'Only src/config reads the environment.' },
      ],
    },
  },
);
