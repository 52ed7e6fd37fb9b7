import { Module } from '@nestjs/common';
import { StorageModule } from '../../storage/storage.module';
import { RegistryService } from './registry.service';

@Module({ imports: [StorageModule], providers: [RegistryService], exports: [RegistryService] })
export class RegistryModule {}
