import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArrayMaxSize, IsArray, IsBoolean, IsNumber, IsOptional, IsString, Matches, Min, MinLength } from 'class-validator';
import { AppConfig, HttpConfig, ServerConfig } from './app.config';
import { ConfigSection } from './config-section';
import { ConfigError, loadConfig } from './load-config';
import { Secret } from './secret';

/** A section of other modules, as far as these tests need it. */
@ConfigSection('auth')
class TestAuth {
  @Secret()
  @IsOptional()
  @MinLength(32)
  readonly adminKey!: string | null;
}

@ConfigSection('hookServer.facebook')
class TestFacebook {
  @IsArray()
  @IsString({ each: true })
  readonly specialPages!: string[];
}

@ConfigSection('database')
class TestDatabase {
  @Secret()
  @IsOptional()
  @Matches(/^postgres:/, { message: 'a URL that begins with postgres://' })
  readonly url!: string | null;
}

@ConfigSection('metrics')
export class TestMetrics {
  @IsBoolean()
  readonly requireKey!: boolean;
}

@ConfigSection('delivery')
export class TestDelivery {
  @IsArray()
  @ArrayMaxSize(50)
  @IsNumber({}, { each: true })
  @Min(0, { each: true })
  readonly retrySchedule!: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'hookline-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(text: string): string {
  const path = join(folder, `${String(++files)}.yaml`);
  writeFileSync(path, text);
  return path;
}

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('layers', () => {
  it('begin with config/default.yaml', () => {
    const settings = loadConfig({});
    expect(settings.section(ServerConfig)).toMatchObject({ port: 8069, host: '127.0.0.1', publicUrl: null, shutdownDelayMs: 0 });
    expect(settings.section(HttpConfig).maxBodyBytes).toBe(3 * 1_048_576);
    expect(settings.section(AppConfig).dataDir).toBe('./data');
  });

  it('do not depend on the working folder', () => {
    const before = process.cwd();
    process.chdir(tmpdir());
    try {
      expect(loadConfig({}).section(ServerConfig).port).toBe(8069);
    } finally {
      process.chdir(before);
    }
  });

  it('go on with CONFIG_FILE, in YAML or JSON, later files winning', () => {
    const first = file('hookServer:\n  port: 1000\n  host: one.example\n');
    const second = file('{"hookServer": {"port": 2000}}');
    expect(loadConfig({ CONFIG_FILE: `${first}, ${second}` }).section(ServerConfig)).toMatchObject({ port: 2000, host: 'one.example' });
  });

  it('end with the environment, short names winning over long ones', () => {
    const env = { CONFIG_FILE: file('hookServer: {port: 1000}'), HOOK_SERVER_PORT: '2000', HOOK_SERVER_SHUTDOWN_DELAY_MS: '70' };
    expect(loadConfig(env).section(ServerConfig)).toMatchObject({ port: 2000, shutdownDelayMs: 70 });
    expect(loadConfig({ ...env, PORT: '3000' }).section(ServerConfig).port).toBe(3000);
  });

  it('leave out variables that are empty', () => {
    expect(loadConfig({ PORT: '', HOST: '', HOOK_SERVER_PORT: '2000' }).section(ServerConfig)).toMatchObject({
      port: 2000,
      host: '127.0.0.1',
    });
  });

  it.each(['config/production.yaml', 'config/test.yaml'])('know every setting of %s', (name) => {
    expect(problemsOf({ CONFIG_FILE: join(__dirname, '../..', name) })).toEqual([]);
  });
});

describe('values', () => {
  it('of lists are separated by commas', () => {
    const { specialPages } = loadConfig({ HOOK_SERVER_FACEBOOK_SPECIAL_PAGES: ' 1, 2,,3 ' }).section(TestFacebook);
    expect(specialPages).toEqual(['1', '2', '3']);
  });

  it('of 20 digits in a file keep each of them, quoted or not', () => {
    const settings = loadConfig({ CONFIG_FILE: file('hookServer: {facebook: {specialPages: [12345678901234567890, "01"]}}') });
    expect(settings.section(TestFacebook).specialPages).toEqual(['12345678901234567890', '01']);
  });

  it('are frozen', () => {
    const { specialPages } = loadConfig({ HOOK_SERVER_FACEBOOK_SPECIAL_PAGES: '1' }).section(TestFacebook);
    expect(() => specialPages.push('2')).toThrow(TypeError);
    expect(() => Object.assign(loadConfig({}).section(ServerConfig), { port: 1 })).toThrow(TypeError);
  });
});

describe('problems', () => {
  it('are told all at once, one line each, with setting, value, origin and what is allowed', () => {
    const problems = problemsOf({ PORT: '70000', LOG_LEVEL: 'loud', HTTP_MAX_BODY_BYTES: 'much' });
    expect(problems).toHaveLength(3);
    expect(problems).toEqual(
      expect.arrayContaining([
        'hookServer.port is 70000 (from PORT); allowed: an integer from 0 to 65535',
        'logLevel is "loud" (from LOG_LEVEL); allowed: fatal, error, warn, info, debug, trace or silent',
        'http.maxBodyBytes is "much" (from HTTP_MAX_BODY_BYTES); allowed: an integer from 1024 to 104857600',
      ]),
    );
    expect(problems.join('').includes('\n')).toBe(false);
  });

  it.each([
    ['PORT', 'abc', 'hookServer.port is "abc" (from PORT); allowed: an integer from 0 to 65535'],
    ['HTTP_MAX_CONNECTIONS', '0', 'http.maxConnections is 0 (from HTTP_MAX_CONNECTIONS); allowed: an integer from 1'],
    ['PUBLIC_URL', 'ftp://a', 'hookServer.publicUrl is "ftp://a" (from PUBLIC_URL); allowed: a URL that begins with http:// or https://'],
    ['LOG_FORMAT', 'xml', 'logFormat is "xml" (from LOG_FORMAT); allowed: text or json'],
    ['METRICS_REQUIRE_KEY', 'maybe', 'metrics.requireKey is "maybe" (from METRICS_REQUIRE_KEY); allowed: true or false'],
    [
      'DELIVERY_RETRY_SCHEDULE',
      '-1,soon',
      'delivery.retrySchedule is [-1,"soon"] (from DELIVERY_RETRY_SCHEDULE); allowed: a list of at most 50 numbers from 0',
    ],
    ['DATABASE_URL', 'mysql://a', 'database.url is *** (from DATABASE_URL); allowed: a URL that begins with postgres://'],
  ])('are told in words: %s=%s', (name, value, line) => {
    expect(problemsOf({ [name]: value })).toEqual([line]);
  });

  it('show no secret', () => {
    const problems = problemsOf({ ADMIN_KEY: 'too-short-but-secret' });
    expect(problems).toEqual(['auth.adminKey is *** (from ADMIN_KEY); allowed: text of 32 or more characters']);
  });

  it.each([
    ['hookServer: {prt: 1}', /^hookServer\.prt: unknown setting in /],
    ['hookServer: {Port: 1}', /^hookServer\.Port: unknown setting in .*, did you mean hookServer\.port\?$/],
    ['port: 1', /^port: unknown setting in .*, did you mean .*\.port\?$/],
    ['http: 3', /^http: is a section in /],
    ['- a', /must be a map of settings$/],
    ['a: [', /^CONFIG_FILE /],
    ['__proto__: {polluted: 1}', /^__proto__: unknown setting/],
    ['constructor: {prototype: {polluted: 1}}', /^constructor: unknown setting/],
  ])('of a file with %s are told', (text, line) => {
    const problems = problemsOf({ CONFIG_FILE: file(text) });
    expect(problems).toEqual([expect.stringMatching(line)]);
    expect('polluted' in {}).toBe(false);
  });

  it('of a file that is not there are told', () => {
    expect(problemsOf({ CONFIG_FILE: join(folder, 'absent.yaml') })).toEqual([expect.stringMatching(/^CONFIG_FILE .*cannot be read/)]);
  });

  it('of an empty file are none', () => {
    expect(problemsOf({ CONFIG_FILE: file('# nothing yet\n') })).toEqual([]);
    expect(problemsOf({ CONFIG_FILE: file('hookServer:\n') })).toEqual([]);
  });
});

it('knows the variables that look like settings and are none', () => {
  const env = { HOOK_SERVER_PROT: '1', HOOK_SERVER_PORT: '2000', HOOK_SERVER_FACEBOOK_SPAM_THRESHOLD: '1', PATH: '/bin' };
  expect(loadConfig(env).unknownVariables).toEqual(['HOOK_SERVER_PROT']);
});

it('knows what must not be shown, and the passwords inside URLs', () => {
  const settings = loadConfig({ ADMIN_KEY: 'k'.repeat(32), DATABASE_URL: 'postgres://me:p%40ssword@host/db' });
  expect(settings.section(TestAuth).adminKey).toBe('k'.repeat(32));
  expect(settings.section(TestDatabase).url).toContain('me');
  expect(settings.secrets()).toEqual(
    expect.arrayContaining(['k'.repeat(32), 'postgres://me:p%40ssword@host/db', 'p%40ssword', 'p@ssword']),
  );
});
