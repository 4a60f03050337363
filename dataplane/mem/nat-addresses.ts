// Addresses of a pool that hosts have for themselves (`ip nat inside source ... pool` without overload, `ip nat outside source ... pool`). A host keeps
// its address while any session of it lives. Of one worker. Does not: say which address a host is to have.
//
//   host    -> row          heads by host address and by pool address, chains in the rows; a pool's address is in one row at the most, a host may
//   address -> row          have one of each pool

const enum Row {
  Host = 0,
  Address = 1,
  /** Sessions that use it. */
  Uses = 2,
  /** 1 + the statement by which what comes from outside reaches the host, 0 = it does not. */
  Open = 3,
  NextHost = 4,
  NextAddress = 5,
  Words = 6,
}

const enum Shape {
  Heads = 4096,
}

function placeOf(address: number): number {
  const hash = Math.imul(address, 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & (Shape.Heads - 1);
}

export class NatAddresses {
  private readonly rows: Int32Array;
  /** Row + 1. */
  private readonly byHost = new Int32Array(Shape.Heads);
  private readonly byAddress = new Int32Array(Shape.Heads);
  private free = 0;
  private fresh = 0;
  /** Addresses that are in use. */
  length = 0;

  /** @param capacity hosts at the most */
  constructor(private readonly capacity = 65536) {
    this.rows = new Int32Array(capacity * Row.Words);
  }

  /** @returns row of the address, -1 = nobody has it */
  findAddress(address: number): number {
    let row = this.byAddress[placeOf(address)] - 1;
    while (row >= 0 && this.rows[row * Row.Words + Row.Address] !== address) row = this.rows[row * Row.Words + Row.NextAddress] - 1;
    return row;
  }

  /** @param first, @param last of the pool, signed as all addresses @returns row of the host's address in that pool, -1 = it has none */
  findHost(host: number, first: number, last: number): number {
    const { rows } = this;
    let row = this.byHost[placeOf(host)] - 1;
    for (; row >= 0; row = rows[row * Row.Words + Row.NextHost] - 1) {
      const address = rows[row * Row.Words + Row.Address] >>> 0;
      if (rows[row * Row.Words + Row.Host] === host && address >= first >>> 0 && address <= last >>> 0) return row;
    }
    return -1;
  }

  addressOf(row: number): number {
    return this.rows[row * Row.Words + Row.Address];
  }

  hostOf(row: number): number {
    return this.rows[row * Row.Words + Row.Host];
  }

  /** @returns 1 + the statement by which what comes from outside reaches the host, 0 = it does not */
  openBy(row: number): number {
    return this.rows[row * Row.Words + Row.Open];
  }

  /** Gives a free address to a host; no session uses it yet. @param openBy see {@link openBy} @returns row, -1 = no room */
  add(host: number, address: number, openBy: number): number {
    const { rows } = this;
    let row = this.free - 1;
    if (row >= 0) this.free = rows[row * Row.Words + Row.NextHost];
    else if (this.fresh < this.capacity) row = this.fresh++;
    else return -1;
    const at = row * Row.Words;
    rows[at + Row.Host] = host;
    rows[at + Row.Address] = address;
    rows[at + Row.Uses] = 0;
    rows[at + Row.Open] = openBy;
    rows[at + Row.NextHost] = this.byHost[placeOf(host)];
    this.byHost[placeOf(host)] = row + 1;
    rows[at + Row.NextAddress] = this.byAddress[placeOf(address)];
    this.byAddress[placeOf(address)] = row + 1;
    this.length++;
    return row;
  }

  /** A session uses it. */
  hold(row: number): void {
    this.rows[row * Row.Words + Row.Uses]++;
  }

  /** A session that held it has ended: the last one gives the address back. */
  release(address: number): void {
    const row = this.findAddress(address);
    if (row >= 0 && --this.rows[row * Row.Words + Row.Uses] <= 0) this.remove(row);
  }

  /** The session that was to use it has not come about: what nobody uses is given back. */
  giveBack(row: number): void {
    if (this.rows[row * Row.Words + Row.Uses] === 0) this.remove(row);
  }

  private remove(row: number): void {
    const { rows } = this;
    const at = row * Row.Words;
    unlink(rows, this.byHost, placeOf(rows[at + Row.Host]), row, Row.NextHost);
    unlink(rows, this.byAddress, placeOf(rows[at + Row.Address]), row, Row.NextAddress);
    rows[at + Row.Address] = 0;
    rows[at + Row.NextHost] = this.free;
    this.free = row + 1;
    this.length--;
  }
}

function unlink(rows: Int32Array, heads: Int32Array, place: number, row: number, link: Row): void {
  const next = rows[row * Row.Words + link];
  if (heads[place] === row + 1) {
    heads[place] = next;
    return;
  }
  let at = (heads[place] - 1) * Row.Words;
  while (rows[at + link] !== row + 1) at = (rows[at + link] - 1) * Row.Words;
  rows[at + link] = next;
}
