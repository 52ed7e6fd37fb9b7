import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FacebookModule } from '../../src/channels/facebook/facebook.module';
import { HttpConfig } from '../../src/config/app.config';
import { loadConfig } from '../../src/config/load-config';
import { useSettings } from '../../src/config/provide-config';
import { HTTP_APP_OPTIONS, configureHttp, httpAdapter } from '../../src/http/http-app';
import { ShellModule } from '../../src/http/shell.module';
import { ADMIN_KEY, APP_SECRET, VERIFY_TOKEN } from '../support/gateway';

@Module({ imports: [ShellModule, FacebookModule] })
class TestModule {}

export interface FacebookApp {
  app: NestFastifyApplication;
  url: string;
  close(): Promise<void>;
}

/** The channel with all that it needs, on embedded engines in a folder of its own. */
export async function startFacebookApp(env: NodeJS.ProcessEnv = {}): Promise<FacebookApp> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-facebook-'));
  const settings = loadConfig({
    DATA_DIR: dataDir,
    LOG_LEVEL: 'silent',
    ADMIN_KEY,
    HOOK_SERVER_FACEBOOK_APP_SECRET: `an-older-secret,${APP_SECRET}`,
    HOOK_SERVER_FACEBOOK_VERIFY_TOKEN: VERIFY_TOKEN,
    ...env,
  });
  useSettings(settings);
  const app = await NestFactory.create<NestFastifyApplication>(TestModule, httpAdapter(settings.section(HttpConfig)), {
    ...HTTP_APP_OPTIONS,
    logger: false,
  });
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
  const close = async (): Promise<void> => {
    await app.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { app, url: await app.getUrl(), close };
}
