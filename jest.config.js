// One run for everything; `--selectProjects unit` needs no services.
const swc = (jsc) => ['@swc/jest', { jsc: { target: 'es2022', ...jsc }, module: { type: 'commonjs' } }];

const transform = {
  '^.+\\.ts$': swc({
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  }),
  '^.+\\.js$': swc({ parser: { syntax: 'ecmascript' } }),
};

/** ES modules only (two of otplib, jose, GitHub's SDK): Node requires them as they are, Jest does not. */
const ES_MODULES = ['@scure/base', '@noble/hashes', 'jose', '@octokit/webhooks-methods'];

const project = (displayName, testMatch, extra = {}) => ({
  displayName,
  testMatch: [`<rootDir>/${testMatch}`],
  testEnvironment: 'node',
  transform,
  // Its package.json has no entry for `require`.
  moduleNameMapper: { '^@octokit/webhooks-methods$': '<rootDir>/node_modules/@octokit/webhooks-methods/dist-node/index.js' },
  transformIgnorePatterns: [`/node_modules/(?!(${ES_MODULES.join('|')})/|@otplib/[^/]+/node_modules/(${ES_MODULES.join('|')})/)`],
  ...extra,
});

const withServices = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    project('unit', 'src/**/*.spec.ts'),
    project('conformance', 'test/conformance/**/*.spec.ts', withServices),
    project('integration', 'test/integration/**/*.spec.ts', withServices),
    project('e2e', 'test/e2e/**/*.e2e-spec.ts', withServices),
    // Short by default; CHAOS=full is the whole suite (`npm run test:chaos`).
    project('chaos', 'test/chaos/**/*.chaos-spec.ts', withServices),
  ],
  testTimeout: 60_000,
  maxWorkers: 2,
  // A worker keeps what its files loaded; with a gigabyte of it the collector stops senders and receivers for seconds.
  workerIdleMemoryLimit: '600MB',
  reporters: ['default', '<rootDir>/test/support/closing-line-reporter.js'],
};
