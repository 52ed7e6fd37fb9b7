import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { GatewayError } from '../../../core/errors';
import { LOOPBACK, isAddressAllowed } from './address-rules';
import { type IpRange, isWithin, parseAddress, parseRange } from '../../../core/ip-address';
import { type Resolve, shared, within } from './name-lookups';

export interface EgressRules {
  /** Ranges that are open beside the public internet; null when the setting is not set at all. */
  allow: readonly string[] | null;
  /** The address that the gateway listens on. */
  host: string;
  /** The outside reaches the gateway: hookServer.publicUrl is set. */
  isPublic?: boolean;
  resolve?: Resolve;
}

/** For URLs of the operator's own settings: every network is open but the metadata of clouds. */
export const OPERATORS_RULES: EgressRules = { allow: ['0.0.0.0/0', '::/0'], host: '' };

/** A connection was not made, since it would lead to an address that must not be called. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly code = 'ERR_ADDRESS_REFUSED';

  constructor(readonly target: string) {
    super(`${target} must not be called`);
  }
}

/** A save waits no longer than this for a name; delivery checks it anyway. */
const RESOLVE_AT_SAVE_MS = 2_000;
/** The share of the time to connect that a name may take: else a resolver that hangs would look like a receiver that does. */
const RESOLVE_SHARE = 0.8;
const CONNECT_TIMEOUT_MS = 10_000;

const resolveBySystem: Resolve = (name, callback) => systemLookup(name, { all: true, verbatim: true }, callback);

/**
 * Decides which URLs may be called: one guard for saving, trying and delivering. Addresses are checked in the connect step
 * itself and the connection goes to exactly the address that was checked, so a name that changes its answer gains nothing.
 */
export class EgressGuard {
  private readonly opened: readonly IpRange[];
  /** Of those, the ones whose answers may be kept. */
  private readonly readable: readonly IpRange[];
  private readonly resolve: Resolve;

  constructor(rules: EgressRules) {
    this.opened = openedBy(rules);
    // What is open only so that a first try works must not let the outside read the machine's own services.
    this.readable = rules.allow === null && rules.isPublic === true ? [] : this.opened;
    this.resolve = shared(rules.resolve ?? resolveBySystem);
  }

  isAllowed(address: string): boolean {
    return isAddressAllowed(address, this.opened);
  }

  /** Whether what this address answers may be kept, and so be read by whoever may read deliveries. */
  keepsAnswersOf(address: string): boolean {
    return isAddressAllowed(address, this.readable);
  }

  /**
   * Checks a URL that is about to be saved. A name is refused when all its addresses are; one that cannot be resolved now may be
   * saved, since it may exist later.
   * @throws GatewayError `address_refused`.
   */
  async assertUrlAllowed(text: string): Promise<URL> {
    const url = parseTarget(text);
    const name = bareHost(url.hostname);
    const addresses = isIP(name) === 0 ? await this.addressesOf(name) : [name];
    if (addresses.length > 0 && !addresses.some((address) => this.isAllowed(address))) {
      throw refused(`${url.hostname} leads to an address that must not be called unless EGRESS_ALLOW opens its network`);
    }
    return url;
  }

  /** A connector for undici that makes no connection to an address that is not allowed. */
  connector({ timeout, ...options }: buildConnector.BuildOptions = {}): buildConnector.connector {
    const timeoutMs = timeout ?? CONNECT_TIMEOUT_MS;
    const connect = buildConnector({ ...options, timeout: timeoutMs, lookup: this.lookupWithin(timeoutMs * RESOLVE_SHARE) });
    return (target, callback) => {
      // The lookup is not asked about literal addresses.
      const host = bareHost(target.hostname);
      if (isIP(host) !== 0 && !this.isAllowed(host)) return callback(new AddressRefusedError(host), null);
      connect(target, callback);
    };
  }

  /** Answers with the allowed addresses only, and fails when there is none, or no answer in time. */
  lookupWithin(waitMs: number): LookupFunction {
    return (name, options, callback) => {
      this.resolveWithin(waitMs, name, (error, addresses) => {
        if (error) return callback(error, []);
        const wanted =
          options.family === 4 || options.family === 6 ? addresses.filter((each) => each.family === options.family) : addresses;
        const allowed = wanted.filter((each) => this.isAllowed(each.address));
        const [first] = allowed;
        if (first === undefined) return callback(new AddressRefusedError(name), []);
        if (options.all) callback(null, allowed);
        else callback(null, first.address, first.family);
      });
    };
  }

  private resolveWithin(waitMs: number, ...[name, callback]: Parameters<Resolve>): void {
    const known = knownAddresses(name);
    if (known === undefined) within(waitMs, this.resolve)(name, callback);
    else process.nextTick(callback, null, known);
  }

  /** Empty when the name cannot be resolved in time. */
  private addressesOf(name: string): Promise<string[]> {
    return new Promise((resolve) => {
      this.resolveWithin(RESOLVE_AT_SAVE_MS, name, (error, addresses) => resolve(error ? [] : addresses.map((each) => each.address)));
    });
  }
}

const refused = (message: string): GatewayError => new GatewayError('address_refused', message, { problems: [{ path: 'url', message }] });

/** The URL, when its own form is one that may be called. @throws GatewayError `address_refused`. */
export function parseTarget(text: string): URL {
  const refuse = (why: string): GatewayError => refused(`The URL ${why}`);
  if (!URL.canParse(text)) throw refuse('cannot be read');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse('must begin with http: or https:');
  if (url.username !== '' || url.password !== '') throw refuse('must not hold a user name or password');
  if (url.port === '0') throw refuse('must not name port 0');
  return url;
}

/** Names that clouds answer with the address of their metadata, inside of them only. */
const METADATA_NAMES = new Set(['metadata.google.internal', 'metadata.goog', 'instance-data', 'instance-data.ec2.internal']);

/** Addresses of names that mean the same everywhere, whatever the resolver of this machine says of them now. */
function knownAddresses(name: string): LookupAddress[] | undefined {
  const bare = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
  if (METADATA_NAMES.has(bare)) return [{ address: '169.254.169.254', family: 4 }];
  const isLocal = /^(.*\.)?localhost(\.localdomain)?$/.test(bare);
  return isLocal ? ['127.0.0.1', '::1'].map((address) => ({ address, family: isIP(address) })) : undefined;
}

/** A host as the resolver takes it: an IPv6 literal without its brackets. */
const bareHost = (hostname: string): string => (hostname.startsWith('[') ? hostname.slice(1, -1) : hostname);

/** A first try on a laptop has its receiver on the same machine; anybody else has to open what is not public. */
function openedBy({ allow, host }: EgressRules): readonly IpRange[] {
  if (allow === null) return isLoopback(host) ? LOOPBACK : [];
  return allow.map((text) => parseRange(text)).filter((range) => range !== undefined);
}

function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  return host === 'localhost' || (address !== undefined && LOOPBACK.some((range) => isWithin(address, range)));
}
