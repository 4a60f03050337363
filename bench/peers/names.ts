// The peers by name, and what the report says about each. How each is started: the files beside this one (index.ts).

export interface PeerText {
  title: string;
  /** What runs, with its settings, in a line. */
  how: string;
  /** `ours`, a userspace VPN, or a bound: something that carries packets without a VPN. */
  kind: 'ours' | 'vpn' | 'bound';
  /** Left out of a plain `make bench`. */
  extra?: boolean;
}

const strongswan = 'charon with kernel-libipsec (ESP in UDP through a TUN), ciphers from OpenSSL, IKEv2 with PSK';
const groupwire = 'GET VPN: one group, header-preserved ESP, registered with a key server behind the core';
const groupInUdp = 'the same group with udp-encapsulation: its ESP in UDP 4500';
const site = 'a crypto map between the gateways (IKEv1), ESP in UDP 4500';

export const peerTexts: Record<string, PeerText> = {
  groupwire: { title: 'groupwire', kind: 'ours', how: `${groupwire}; AES-256-GCM, default port drivers` },
  'groupwire-fast': {
    title: 'groupwire, fast drivers',
    kind: 'ours',
    how: `${groupwire}; AES-256-GCM, port-driver packet inside, xdp outside`,
  },
  'groupwire-gdoi-udp-tun': {
    title: 'groupwire, group ESP in UDP, TUN outside',
    kind: 'ours',
    how: `${groupInUdp}; AES-256-GCM, port-driver tun outside`,
  },
  'groupwire-fast-gdoi-udp-tun': {
    title: 'groupwire, packet inside, group ESP in UDP, TUN outside',
    kind: 'ours',
    how: `${groupInUdp}; AES-256-GCM, port-driver packet inside, tun outside`,
  },
  strongswan: { title: 'strongSwan kernel-libipsec', kind: 'vpn', how: `${strongswan}; AES-256-GCM` },
  'wireguard-go': { title: 'wireguard-go', kind: 'vpn', how: 'ChaCha20-Poly1305, MTU 1420, its defaults' },
  openvpn: {
    title: 'OpenVPN',
    kind: 'vpn',
    how: 'AES-256-GCM over UDP, --disable-dco, --fast-io, 1 MiB socket buffers, TUN queue of 1000',
  },
  kernel: { title: 'kernel forwarding, no VPN', kind: 'bound', how: 'the same routers, no program on them' },
  loop: { title: 'C loop, no crypto', kind: 'bound', how: 'TUN to TUN on gateway A, one packet a system call, one thread' },
  bound: {
    title: 'C bound, no crypto',
    kind: 'bound',
    how: 'AF_PACKET with vnet_hdr inside, AF_XDP outside, ESP framing without a cipher, on both gateways',
  },
  'groupwire-2': {
    title: 'groupwire, fast drivers, 2 workers',
    kind: 'ours',
    how: `${groupwire}; AES-256-GCM, port-driver packet inside, xdp outside, --workers 2`,
    extra: true,
  },
  'groupwire-gre': {
    title: 'groupwire, GRE in ESP',
    kind: 'ours',
    how: 'a GRE tunnel (ip mtu 1400) that the group seals; AES-256-GCM, default port drivers',
    extra: true,
  },
  'groupwire-fast-gre': {
    title: 'groupwire, fast drivers, GRE in ESP',
    kind: 'ours',
    how: 'a GRE tunnel (ip mtu 1400) that the group seals; AES-256-GCM, port-driver packet inside, xdp outside',
    extra: true,
  },
  'groupwire-udp': {
    title: 'groupwire, site-to-site ESP in UDP',
    kind: 'ours',
    how: `${site}; AES-256-GCM, default port drivers`,
    extra: true,
  },
  'groupwire-udp-tun': {
    title: 'groupwire, site-to-site ESP in UDP, TUN outside',
    kind: 'ours',
    how: `${site}; AES-256-GCM, port-driver tun outside`,
    extra: true,
  },
  'groupwire-fast-udp': {
    title: 'groupwire, fast drivers, site-to-site ESP in UDP',
    kind: 'ours',
    how: `${site}; AES-256-GCM, port-driver packet inside, xdp outside`,
    extra: true,
  },
  'groupwire-fast-udp-tun': {
    title: 'groupwire, packet inside, site-to-site ESP in UDP, TUN outside',
    kind: 'ours',
    how: `${site}; AES-256-GCM, port-driver packet inside, tun outside`,
    extra: true,
  },
  'groupwire-gdoi-udp': {
    title: 'groupwire, group ESP in UDP',
    kind: 'ours',
    how: `${groupInUdp}; AES-256-GCM, default port drivers`,
    extra: true,
  },
  'groupwire-3des': { title: 'groupwire, 3DES-SHA1', kind: 'ours', how: `${groupwire}; esp-3des esp-sha-hmac`, extra: true },
  'groupwire-aes128': { title: 'groupwire, AES-128-SHA1', kind: 'ours', how: `${groupwire}; esp-aes 128 esp-sha-hmac`, extra: true },
  'strongswan-3des': { title: 'strongSwan, 3DES-SHA1', kind: 'vpn', how: `${strongswan}; 3des-sha1`, extra: true },
  'strongswan-aes128': { title: 'strongSwan, AES-128-SHA1', kind: 'vpn', how: `${strongswan}; aes128-sha1`, extra: true },
};

export const peerNames: readonly string[] = Object.keys(peerTexts);
/** Those of a plain `make bench`, in the order of the tables. */
export const plainPeerNames: readonly string[] = peerNames.filter((name) => peerTexts[name].extra !== true);
