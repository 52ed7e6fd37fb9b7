import { Body, Controller, Get, Header, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { Direct, installDirect } from './direct';

class Forbidding {
  canActivate(): boolean {
    return false;
  }
}

@Controller('doors')
class Doors {
  private readonly greeting = 'seen';

  @Post('direct')
  @HttpCode(202)
  @Direct()
  direct(@Req() request: FastifyRequest): Promise<string> {
    return Promise.resolve(`${this.greeting} ${request.url}`);
  }

  @Post('late')
  @HttpCode(200)
  @Direct()
  async late(@Req() request: FastifyRequest): Promise<string> {
    await Promise.resolve();
    throw new Error(`late at ${request.url}`);
  }

  @Post('text')
  @HttpCode(200)
  @Direct()
  text(@Req() request: FastifyRequest): Promise<string> {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a careless library may do
    return Promise.reject(`text at ${request.url}`);
  }

  @Post('xml')
  @HttpCode(200)
  @Header('content-type', 'text/xml; charset=utf-8')
  @Header('cache-control', 'no-store')
  @Direct()
  xml(@Req() request: FastifyRequest): Promise<string> {
    return request.headers['x-fail'] === undefined ? Promise.resolve('<Response/>') : Promise.reject(new Error('failed'));
  }

  @Get('nest')
  nest(@Req() request: FastifyRequest): string {
    return `Nest ${request.url}`;
  }
}

@Controller()
@UseGuards(Forbidding)
class GuardedDoor {
  @Post('a')
  @HttpCode(200)
  @Direct()
  take(@Req() request: FastifyRequest): Promise<string> {
    return Promise.resolve(request.url);
  }
}

@Controller()
class BodyDoor {
  @Post('a')
  @HttpCode(200)
  @Direct()
  take(@Body() request: FastifyRequest): Promise<string> {
    return Promise.resolve(request.url);
  }
}

@Controller()
class WorkedOutHeaderDoor {
  @Post('a')
  @HttpCode(200)
  @Header('expires', () => new Date().toUTCString())
  @Direct()
  take(@Req() request: FastifyRequest): Promise<string> {
    return Promise.resolve(request.url);
  }
}

@Controller()
class NoStatusDoor {
  @Post('a')
  @Direct()
  take(@Req() request: FastifyRequest): Promise<string> {
    return Promise.resolve(request.url);
  }
}

async function start(controller: new () => object): Promise<NestFastifyApplication> {
  const module = { module: class TestModule {}, controllers: [controller] };
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { logger: false, abortOnError: false });
  installDirect(app.getHttpAdapter().getInstance(), app);
  await app.init();
  return app;
}

describe('a direct method', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start(Doors);
  });
  afterAll(() => app.close());

  it('answers text with its status, on its own instance', async () => {
    const { statusCode, headers, body } = await app.inject({ method: 'POST', url: '/doors/direct' });
    expect({ statusCode, type: headers['content-type'], body }).toEqual({
      statusCode: 202,
      type: 'text/plain; charset=utf-8',
      body: 'seen /doors/direct',
    });
  });

  it('answers with the headers that it is decorated with, unless it fails', async () => {
    const answered = await app.inject({ method: 'POST', url: '/doors/xml' });
    expect(answered.headers).toMatchObject({ 'content-type': 'text/xml; charset=utf-8', 'cache-control': 'no-store' });
    expect(answered.body).toBe('<Response/>');
    const failed = await app.inject({ method: 'POST', url: '/doors/xml', headers: { 'x-fail': '1' } });
    expect(failed.statusCode).toBe(500);
    expect(failed.headers['content-type']).toMatch(/json/);
    expect(failed.headers['cache-control']).toBeUndefined();
  });

  it.each(['late', 'text'])('fails as any other does: %s', async (name) => {
    const { statusCode } = await app.inject({ method: 'POST', url: `/doors/${name}` });
    expect(statusCode).toBe(500);
  });

  it('leaves other routes to Nest', async () => {
    expect((await app.inject({ method: 'GET', url: '/doors/nest' })).body).toBe('Nest /doors/nest');
  });
});

it.each([
  [GuardedDoor, 'GuardedDoor.take is direct: its guards would not run'],
  [BodyDoor, 'BodyDoor.take is direct: it takes @Req() and nothing else'],
  [WorkedOutHeaderDoor, 'WorkedOutHeaderDoor.take is direct: its header expires must be text'],
  [NoStatusDoor, 'NoStatusDoor.take is direct and needs @HttpCode'],
])('what would not run is refused at the start: %p', async (controller, message) => {
  await expect(start(controller)).rejects.toThrow(message);
});
