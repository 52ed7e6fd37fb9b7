import { Module } from '@nestjs/common';
import { AppConfig, HttpConfig, ServerConfig } from '../config/app.config';
import { provideConfig } from '../config/provide-config';
import { RefusalsModule } from '../refusals/refusals.module';
import { DoorModule } from './door';
import { DrainingModule } from './draining';
import { ProblemFilter } from './problem.filter';

/** What `configureHttp` needs of the container. */
@Module({
  imports: [DoorModule, DrainingModule, RefusalsModule],
  providers: [provideConfig(AppConfig), provideConfig(HttpConfig), provideConfig(ServerConfig), ProblemFilter],
  exports: [DoorModule, DrainingModule],
})
export class ShellModule {}
