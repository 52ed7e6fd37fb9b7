import type { ManagedEndpoint } from '../../../dispatcher/registry/managed-endpoint';

/** The agents' application and the thread coordinator, as endpoints; the same ids in every installation. */
export const HANDOVER_ENDPOINT = '00000000-0000-7000-8000-000000000001';
export const OWNER_ENDPOINT = '00000000-0000-7000-8000-000000000002';

export const HANDOVER_TYPE = 'handover';
export const OWNER_TYPE = 'owner';

/** Stands where the URL is missing: it is shown, and leads nowhere. */
const NO_URL = 'http://web-api-url-is-not-set.invalid';

export const handoverEndpoint = (webApiUrl: string | null, path: string): ManagedEndpoint => ({
  id: HANDOVER_ENDPOINT,
  type: HANDOVER_TYPE,
  name: 'Agents’ application',
  url: joined(webApiUrl ?? NO_URL, path),
  description: 'Gets each handover with its thread.',
  managedBy: 'hookServer.webApiUrl',
});

export const ownerEndpoint = (url: string, path: string): ManagedEndpoint => ({
  id: OWNER_ENDPOINT,
  type: OWNER_TYPE,
  name: 'Thread coordinator',
  url: joined(url, path),
  description: 'Is told who owns a thread once its handover is settled.',
  managedBy: 'threadCoordinator.url',
});

const joined = (base: string, path: string): string => base.replace(/\/+$/, '') + path;

/** The URL of one thread; characters that a part of a path may hold stay as they are. */
export const threadUrl = (template: string, threadId: string): string => template.replaceAll('{threadId}', () => pathPart(threadId));

const pathPart = (text: string): string =>
  encodeURIComponent(text).replace(/%(3A|40|24|26|2B|2C|3B|3D)/g, (escaped) => decodeURIComponent(escaped));
