import { Injectable, Logger } from '@nestjs/common';
import { Metrics } from '../../../metrics/metrics.service';
import { endpointLabel } from '../../registry/endpoint-label';
import type { EndpointRecord } from '../../registry/endpoint-record';
import { DeliveryConfig } from '../delivery.config';
import { type AttemptHealth, Circuit, type CircuitState, WINDOW_MS } from './circuit';

interface Known {
  circuit: Circuit;
  /** A change of the endpoint is a new beginning. */
  updatedAt: number;
}

/** The circuits of the endpoints that this process sends to. */
@Injectable()
export class Circuits {
  private readonly logger = new Logger(Circuits.name);
  private readonly known = new Map<string, Known>();
  private prunedAt = 0;

  constructor(
    private readonly config: DeliveryConfig,
    private readonly metrics: Metrics,
  ) {}

  /** Of this process: each finds out for itself. */
  circuitOf(endpointId: string): CircuitState {
    return this.known.get(endpointId)?.circuit.state ?? 'closed';
  }

  /**
   * Undefined: as many attempts may begin as there is room for. Else one or none, and then it says when there may be one.
   * @param underWay attempts that are, or are about to begin.
   */
  probeOf(endpoint: EndpointRecord, underWay: number, now: number): { isPassable: boolean; againInMs: number } | undefined {
    const circuit = this.find(endpoint);
    if (!circuit || circuit.state === 'closed') return undefined;
    return { isPassable: circuit.isPassable(now, underWay === 0), againInMs: circuit.probeInMs(now) };
  }

  begin(endpoint: EndpointRecord, now: number): void {
    this.find(endpoint)?.begin(now);
  }

  ended(endpoint: EndpointRecord, health: AttemptHealth, startedAt: number, now: number): void {
    if (this.config.circuitMinAttempts === 0) return;
    let circuit = this.find(endpoint);
    if (!circuit) {
      circuit = new Circuit(this.config.circuitMinAttempts);
      this.known.set(endpoint.id, { circuit, updatedAt: endpoint.updatedAt });
    }
    if (circuit.ended(health, startedAt, now)) this.tell(endpoint, circuit.state === 'closed');
    this.prune(now);
  }

  private tell(endpoint: EndpointRecord, isClosed: boolean): void {
    if (isClosed) this.logger.log(`Endpoint ${endpointLabel(endpoint)} answers again: its circuit is closed`);
    else this.logger.warn(`Endpoint ${endpointLabel(endpoint)} fails: its circuit is open, and its deliveries wait until a probe succeeds`);
    this.measure();
  }

  private find(endpoint: EndpointRecord): Circuit | undefined {
    const known = this.known.get(endpoint.id);
    if (known && known.updatedAt < endpoint.updatedAt) {
      this.known.delete(endpoint.id);
      this.measure();
      return undefined;
    }
    return known?.circuit;
  }

  private measure(): void {
    let open = 0;
    for (const { circuit } of this.known.values()) if (circuit.state !== 'closed') open += 1;
    this.metrics.circuitsOpen.set(open);
  }

  private prune(now: number): void {
    if (now - this.prunedAt < WINDOW_MS) return;
    this.prunedAt = now;
    for (const [id, { circuit }] of this.known) if (circuit.isForgettable(now)) this.known.delete(id);
    this.measure();
  }
}
