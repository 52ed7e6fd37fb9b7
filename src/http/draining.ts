import { Injectable, Module } from '@nestjs/common';

/** Set once, when the process was told to end: readiness turns 503 and connections are closed after their next answer. */
@Injectable()
export class Draining {
  private draining = false;

  get isDraining(): boolean {
    return this.draining;
  }

  start(): void {
    this.draining = true;
  }
}

@Module({ providers: [Draining], exports: [Draining] })
export class DrainingModule {}
