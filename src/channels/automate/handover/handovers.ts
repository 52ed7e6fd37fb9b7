import { Injectable } from '@nestjs/common';
import { ServerConfig } from '../../../config/app.config';
import { ManagedEndpoints } from '../../../dispatcher/registry/managed-endpoints';
import { AutomateConfig, ThreadCoordinatorConfig } from '../automate.config';
import { handoverEndpoint, ownerEndpoint } from './endpoints';

/** A setting without which a part of a handover does not work, and what happens without it. */
export interface MissingSetting {
  setting: string;
  so: string;
}

/**
 * Where handovers go. Both calls of one are deliveries as any other, to endpoints that the settings make, and the second follows from
 * the first. docs/adr/0025.
 */
@Injectable()
export class Handovers {
  constructor(
    private readonly automate: AutomateConfig,
    private readonly server: ServerConfig,
    private readonly coordinator: ThreadCoordinatorConfig,
    private readonly endpoints: ManagedEndpoints,
  ) {}

  /** The agents’ application has its endpoint even without a URL: what is owed to it is seen to wait there, and is not lost. */
  keepEndpoints(): void {
    this.endpoints.keep(handoverEndpoint(this.server.webApiUrl, this.automate.handoverPath));
    if (this.coordinator.url !== null) this.endpoints.keep(ownerEndpoint(this.coordinator.url, this.coordinator.ownerPath));
  }

  get missing(): MissingSetting[] {
    const { url, otpSecret } = this.coordinator;
    const wanted = [
      { setting: 'hookServer.webApiUrl', isSet: this.server.webApiUrl !== null, so: 'handovers fail with not_configured' },
      { setting: 'threadCoordinator.url', isSet: url !== null, so: 'nobody is told what became of handovers' },
      {
        setting: 'threadCoordinator.otpSecret',
        isSet: url === null || otpSecret.length > 0,
        so: 'what became of handovers cannot be told',
      },
    ];
    return wanted.filter(({ isSet }) => !isSet).map(({ setting, so }) => ({ setting, so }));
  }
}
