import { Injectable } from '@nestjs/common';
import { type Page, pageOf } from '../../http/page';
import { FiltersRepository } from '../registry/filters.repository';
import { RegistryService } from '../registry/registry.service';
import type { StoredEvent } from '../stored-event';
import { DeliveryPreview } from './delivery-preview';
import { explainFilter } from './explain-filter';
import type { ExplanationDto } from './explain.dto';

/** Deliveries that are shown with their bytes. */
const MAX_DELIVERIES = 20;

/** Says who gets an event and why, by the filters as they stand now. Nothing is stored or sent. */
@Injectable()
export class ExplainService {
  constructor(
    private readonly registry: RegistryService,
    private readonly filters: FiltersRepository,
    private readonly preview: DeliveryPreview,
  ) {}

  /** @param page Of the account's filters; the deliveries are those of all filters. */
  async explain(event: StoredEvent, page: Page): Promise<ExplanationDto> {
    const { endpoints } = (await this.registry.ensureLoaded()).match(event);
    const rows = await this.filters.list(event.accountId, page);
    const { data, nextCursor } = pageOf(rows, page.limit, (row) => row.id);
    const deliveries = [];
    for (const endpoint of endpoints.slice(0, MAX_DELIVERIES)) deliveries.push(await this.preview.of(endpoint, event));
    return { filters: data.map((filter) => explainFilter(filter, event)), nextCursor, deliveries, deliveryCount: endpoints.length };
  }
}
