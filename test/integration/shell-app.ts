import { Body, Controller, Get, HttpCode, Module, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpConfig } from '../../src/config/app.config';
import { loadConfig } from '../../src/config/load-config';
import { useSettings } from '../../src/config/provide-config';
import { GatewayError } from '../../src/core/errors';
import { Accepts } from '../../src/http/accepts';
import { Door, DoorRegistry } from '../../src/http/door';
import { HTTP_APP_OPTIONS, configureHttp, httpAdapter } from '../../src/http/http-app';
import { type Page, PageQuery } from '../../src/http/page';
import { type ReceivedRequest, receivedOf } from '../../src/http/received-request';
import { ShellModule } from '../../src/http/shell.module';
import { MetricsModule } from '../../src/metrics/metrics.module';
import { RefusalsModule } from '../../src/refusals/refusals.module';
import { StorageModule } from '../../src/storage/storage.module';

export class Part {
  @IsString()
  name!: string;
}

export class Thing {
  @IsInt()
  size!: number;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Part)
  parts?: Part[];

  @IsOptional()
  free?: unknown;
}

@Controller()
export class TestController {
  /** Says back what it got: the length, and the bytes in hex as far as they are few. */
  @Post('door')
  @HttpCode(200)
  @Accepts('application/json')
  @Door('test')
  door(@Body() body: Buffer): { length: number; hex: string } {
    if (body.toString() === '"wrong signature"') throw new GatewayError('signature_invalid');
    if (body.toString() === '"away"') throw new GatewayError('broker_unavailable');
    return { length: body.length, hex: body.subarray(0, 64).toString('hex') };
  }

  @Post('anything')
  @HttpCode(200)
  anything(@Body() body: unknown): { body: unknown; polluted: boolean } {
    return { body, polluted: 'admin' in {} };
  }

  @Post('things')
  @Accepts('application/json')
  things(@Body() thing: Thing): { size: number; type: string; polluted: boolean } {
    return { size: thing.size, type: thing.constructor.name, polluted: 'admin' in thing || 'admin' in {} };
  }

  @Get('list')
  list(@PageQuery() page: Page): Page {
    return page;
  }

  @Get('names')
  names(@PageQuery('text') page: Page): Page {
    return page;
  }

  @Get('who')
  who(@Req() request: FastifyRequest): Pick<ReceivedRequest, 'address' | 'viaProxy'> {
    const { address, viaProxy } = receivedOf(request);
    return { address, viaProxy };
  }

  @Get('bug')
  bug(): never {
    throw new Error('a secret of the inside');
  }
}

@Module({ imports: [ShellModule, RefusalsModule, StorageModule, MetricsModule], controllers: [TestController] })
class TestModule {}

export interface ShellApp {
  app: NestFastifyApplication;
  url: string;
  /** The door called `test`. */
  door: { enabled: boolean; configured: boolean };
  close(): Promise<void>;
}

/** The shell with a controller of the test's own, on a free port and a database of its own. */
export async function startShellApp(env: NodeJS.ProcessEnv = {}): Promise<ShellApp> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-shell-'));
  const settings = loadConfig({ DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', ...env });
  useSettings(settings);
  const app = await NestFactory.create<NestFastifyApplication>(TestModule, httpAdapter(settings.section(HttpConfig)), {
    ...HTTP_APP_OPTIONS,
    logger: false,
  });
  configureHttp(app);
  const door = { enabled: true, configured: true };
  app
    .get(DoorRegistry)
    .register('test', { isEnabled: () => door.enabled, missingSetting: () => (door.configured ? undefined : 'test.secret') });
  await app.listen(0, '127.0.0.1');
  const close = async (): Promise<void> => {
    await app.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { app, url: await app.getUrl(), door, close };
}
