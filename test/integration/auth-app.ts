import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AdminKey } from '../../src/auth/admin-key';
import { ApiKeyGuard } from '../../src/auth/api-key.guard';
import { AuthModule } from '../../src/auth/auth.module';
import { CurrentPrincipal, type Principal } from '../../src/auth/principal';
import { HttpConfig } from '../../src/config/app.config';
import { loadConfig } from '../../src/config/load-config';
import { useSettings } from '../../src/config/provide-config';
import { HTTP_APP_OPTIONS, configureHttp, httpAdapter } from '../../src/http/http-app';
import { ShellModule } from '../../src/http/shell.module';
import { Storage } from '../../src/storage/storage';

@UseGuards(ApiKeyGuard)
@Controller('whoami')
class WhoAmIController {
  @Get()
  who(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }
}

@Module({ imports: [ShellModule, AuthModule], controllers: [WhoAmIController] })
class TestModule {}

export interface Answer {
  status: number;
  body: Record<string, unknown> & { data: Record<string, unknown>[]; nextCursor: string | null };
}

export interface AuthApp {
  firstRunKey: string | undefined;
  adminKey: AdminKey;
  storage: Storage;
  ask(method: string, path: string, key?: string, body?: unknown): Promise<Answer>;
  whoami(key: string): Promise<Answer>;
  close(): Promise<void>;
}

/** One process of the gateway, as far as keys are concerned. */
export async function startAuthApp(env: NodeJS.ProcessEnv): Promise<AuthApp> {
  const settings = loadConfig({ LOG_LEVEL: 'silent', ...env });
  useSettings(settings);
  const app = await NestFactory.create<NestFastifyApplication>(TestModule, httpAdapter(settings.section(HttpConfig)), {
    ...HTTP_APP_OPTIONS,
    logger: false,
  });
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const ask = async (method: string, path: string, key?: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
  };
  const adminKey = app.get(AdminKey);
  return {
    firstRunKey: adminKey.firstRunKey,
    adminKey,
    storage: app.get(Storage),
    ask,
    whoami: (key) => ask('GET', '/whoami', key),
    close: () => app.close(),
  };
}
