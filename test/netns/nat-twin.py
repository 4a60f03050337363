# One scripted conversation across a NAT, packet by packet, told as fields. Run once with our router and once with the kernel's masquerade; the test
# compares the two. Arguments: a JSON object with the namespaces of `inside`, `middle`, `outside` and `router`. Prints a list of steps.
#
# Raw packets go by AF_PACKET between addresses that no kernel has (inside 10.0.1.20 and .21, outside 198.51.100.20), so nobody answers but this script.
# A step is over when three markers have gone there and back: what the step caused has arrived before, because nothing overtakes.

import ctypes, json, logging, os, select, socket, struct, sys, threading, time
logging.getLogger('scapy').setLevel(logging.ERROR)
from scapy.all import IP, TCP, UDP, ICMP, GRE, ESP, Raw, IPOption, IPOption_RR, IPOption_Router_Alert, IPOption_NOP, IPOption_Timestamp, IPOption_LSRR, conf, fragment
conf.verb = 0

arguments = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
GLOBAL, FAR, MIDDLE = '203.0.113.2', '198.51.100.20', '203.0.113.1'
IN1, IN2 = '10.0.1.20', '10.0.1.21'


def enter(node):
    fd = os.open('/run/netns/' + arguments[node], os.O_RDONLY)
    if libc.setns(fd, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), 'setns')
    os.close(fd)


class Link:
    """The device eth0 of a node: sends and receives IPv4."""
    def __init__(self, node, next_hop_mac):
        enter(node)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(('eth0', 0))
        own = self.socket.getsockname()[4]
        self.head = bytes.fromhex(next_hop_mac.replace(':', '')) + own + b'\x08\x00'

    def send(self, packet):
        self.socket.send(self.head + bytes(packet))

    def receive(self):
        frame, (_, protocol, kind, _, _) = self.socket.recvfrom(65536)
        if protocol != 0x0800 or kind == socket.PACKET_OUTGOING:
            return None
        length = struct.unpack('>H', frame[16:18])[0]
        return frame[14:14 + length]


inside, outside = Link('inside', arguments['insideHop']), Link('outside', arguments['outsideHop'])
poll = select.poll()
poll.register(inside.socket, select.POLLIN)
poll.register(outside.socket, select.POLLIN)
links = {inside.socket.fileno(): ('inside', inside), outside.socket.fileno(): ('outside', outside)}
seen, everything = [], []
MARK = 7777


def is_mark(packet):
    return packet[9] == 17 and packet[0] == 0x45 and packet[28:32] == b'MARK'


def wait(what, seconds=30):
    """Takes what arrives until a marker has come to `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for fd, _ in poll.poll(200):
            name, link = links[fd]
            packet = link.receive()
            if packet is None:
                continue
            if is_mark(packet):
                if name == what:
                    return packet
            else:
                seen.append((name, packet))
                if name == 'outside':
                    everything.append(packet)
    raise TimeoutError('no marker came to ' + what)


MARK_OUT = bytes(IP(src=IN1, dst=FAR, id=1) / UDP(sport=MARK, dport=MARK) / b'MARK')
mark_back = {}


def settle():
    for _ in range(3):
        inside.send(MARK_OUT)
        heard = wait('outside')
        if heard[20:22] not in mark_back:
            mark_back[heard[20:22]] = bytes(IP(src=FAR, dst=IP(heard).src, id=1) / UDP(sport=MARK, dport=IP(heard).sport) / b'MARK')
        outside.send(mark_back[heard[20:22]])
        wait('inside')


def take(name):
    """The packets of this step that have come to a side, oldest first."""
    settle()
    return [packet for side, packet in seen if side == name]


def ones_sum(data):
    data = data + b'\0' * (len(data) % 2)
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total


def verdict(sum_field, data):
    if sum_field == 0:
        return 'zero'
    return 'right' if ones_sum(data) == 0xffff else 'wrong'


def fields(packet, quoted=False):
    """A datagram as fields. Checksums are computed anew and told as right, wrong or zero; in a quote, which is cut, they stand as they are."""
    head = (packet[0] & 15) * 4
    src, dst = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    length, ident, flags = struct.unpack('>HHH', packet[2:8])
    out = {'src': src, 'dst': dst, 'tos': packet[1], 'length': length, 'id': ident, 'df': flags >> 14 & 1, 'mf': flags >> 13 & 1,
           'offset': (flags & 0x1fff) * 8, 'ttl': packet[8], 'protocol': packet[9], 'header': verdict(1, packet[:head]),
           'options': packet[20:head].hex()}
    body = packet[head:]
    if quoted:
        out['body'] = body.hex()
        return out
    if out['offset'] or out['mf']:
        out['body'] = body.hex()
        return out
    pseudo = packet[12:20] + bytes([0, packet[9]]) + struct.pack('>H', len(body))
    if packet[9] == 17 and len(body) >= 8:
        sport, dport, size, check = struct.unpack('>HHHH', body[:8])
        out.update(sport=sport, dport=dport, udpLength=size, checksum=verdict(check, pseudo + body), data=body[8:].hex())
    elif packet[9] == 6 and len(body) >= 20:
        sport, dport, seq, ack, bits, window, check, urgent = struct.unpack('>HHIIHHHH', body[:20])
        out.update(sport=sport, dport=dport, seq=seq, ack=ack, flags=bits & 0x1ff, dataOffset=bits >> 12, window=window, urgent=urgent,
                   checksum=verdict(1, pseudo + body), data=body[20:].hex())
    elif packet[9] == 1 and len(body) >= 8:
        out.update(type=body[0], code=body[1], checksum=verdict(1, body), rest=body[4:8].hex())
        if body[0] in (3, 4, 5, 11, 12) and len(body) >= 28:
            out['quote'] = fields(body[8:], True)
            if src in (GLOBAL, '10.0.1.1', MIDDLE, '198.51.100.1'):
                out['id'] = 'the router’s own'
        else:
            out['data'] = body[8:].hex()
    else:
        out['body'] = body.hex()
    if src in (GLOBAL, '10.0.1.1') and (out.get('flags', 0) & 4 or out.get('type') == 0 and packet[9] == 1):
        out['id'] = 'the router’s own'
    return out


def reassemble(packets):
    """Whole datagrams stay, fragments become whole: a kernel that follows connections puts them together and cuts them as it likes."""
    whole, parts = [], {}
    for packet in packets:
        flags = struct.unpack('>H', packet[6:8])[0] & 0x3fff
        if flags == 0:
            whole.append(packet)
            continue
        key = packet[12:20] + packet[4:6] + packet[9:10]
        parts.setdefault(key, []).append(packet)
    for pieces in parts.values():
        data, total = {}, None
        for packet in pieces:
            flags = struct.unpack('>H', packet[6:8])[0]
            at, head = (flags & 0x1fff) * 8, (packet[0] & 15) * 4
            data[at] = packet[head:]
            if not flags & 0x2000:
                total = at + len(packet) - head
        body, first = b'', sorted(pieces, key=lambda p: struct.unpack('>H', p[6:8])[0] & 0x1fff)[0]
        for at in sorted(data):
            body = body if at != len(body) else body + data[at]
        if len(body) != total:
            whole.append(first + b'incomplete')
            continue
        head = IP(first[:20])
        joined = IP(src=head.src, dst=head.dst, id=head.id, ttl=head.ttl, tos=head.tos, proto=head.proto, len=20 + total)
        whole.append(bytes(joined) + body)
    return whole


steps = []


def step(name, run, join=False):
    seen.clear()
    run()
    settle()
    told = {}
    for side in ('inside', 'outside'):
        packets = [packet for where, packet in seen if where == side]
        told[side] = [fields(packet) for packet in (reassemble(packets) if join else packets)]
    steps.append({'name': name, **told})


def udp(src, sport, dport=53, data=b'hello', dst=FAR, **more):
    return IP(src=src, dst=dst, id=more.pop('id', 0x1001), ttl=more.pop('ttl', 64), **more) / UDP(sport=sport, dport=dport) / data


def there_and_back(packet, answer):
    """Sends a packet from inside; `answer` makes what the far host says from what it has heard."""
    def run():
        inside.send(packet)
        heard = take('outside')
        if heard:
            for back in answer(IP(heard[-1])):
                outside.send(back)
    return run


def udp_answer(data=b'answer', **more):
    return lambda heard: [IP(src=FAR, dst=heard.src, id=0x2002, ttl=60, **more) / UDP(sport=heard.dport, dport=heard.sport) / data]


def without_checksum(packet):
    raw = bytearray(bytes(packet))
    raw[26:28] = b'\0\0'
    return bytes(raw)


def error(type, code, quote, src=FAR, dst=None, rest=0, **more):
    """An ICMP error about a datagram as the sender of the error has seen it."""
    quote = bytes(quote)
    body = struct.pack('>BBHI', type, code, 0, rest) + quote
    check = 0xffff ^ ones_sum(body)
    body = body[:2] + struct.pack('>H', more.pop('check', check)) + body[4:]
    return IP(src=src, dst=dst or socket.inet_ntoa(quote[12:16]), id=0x3003, ttl=60, proto=1) / Raw(body)


def error_about(packet, make):
    def run():
        inside.send(packet)
        heard = take('outside')
        if heard:
            outside.send(make(heard[-1]))
    return run


def pieces(packet, *order, size=64):
    """A datagram cut into fragments, in an order."""
    raw = bytes(packet)
    body, head = raw[20:], IP(raw[:20])
    parts = []
    for at in range(0, len(body), size):
        more = at + size < len(body)
        parts.append(bytes(IP(src=head.src, dst=head.dst, id=head.id, ttl=head.ttl, proto=head.proto, flags='MF' if more else 0, frag=at // 8) / Raw(body[at:at + size])))
    return [parts[i] for i in (order or range(len(parts)))]


def send_all(link, packets):
    for packet in packets:
        link.send(packet)


def fragments(order, dport=53, protocol='udp'):
    data = bytes(range(184))
    def run():
        if protocol == 'udp':
            sent = IP(src=IN1, dst=FAR, id=0x4000 + sum(order) * 16 + order[0], ttl=64) / UDP(sport=5100, dport=dport) / data
        else:
            sent = IP(src=IN1, dst=FAR, id=0x4800 + order[0], ttl=64) / ICMP(id=0x511, seq=1) / data
        send_all(inside, pieces(sent, *order))
        heard = reassemble(take('outside'))
        if not heard:
            return
        got = IP(heard[-1])
        if protocol == 'udp':
            back = IP(src=FAR, dst=got.src, id=0x5000 + order[0], ttl=60) / UDP(sport=dport, dport=got.sport) / data
        else:
            back = IP(src=FAR, dst=got.src, id=0x5800 + order[0], ttl=60) / ICMP(type=0, id=got[ICMP].id, seq=1) / data
        send_all(outside, pieces(back, *order))
    return run


def tcp(flags, seq, ack, data=b'', sport=5200, dport=80, src=IN1, **more):
    return IP(src=src, dst=FAR, id=0x6000 + len(data), **more) / TCP(sport=sport, dport=dport, seq=seq, ack=ack, flags=flags, window=8192,
                                                                   options=[('MSS', 1460)] if 'S' in flags else []) / data


def tcp_back(flags, seq, ack, data=b'', sport=80, dport=5200, dst=GLOBAL):
    return IP(src=FAR, dst=dst, id=0x7000 + len(data)) / TCP(sport=sport, dport=dport, seq=seq, ack=ack, flags=flags, window=8192,
                                                             options=[('MSS', 1460)] if 'S' in flags else []) / data


def conversation(port, ending):
    def run():
        inside.send(tcp('S', 100, 0, sport=port)); settle()
        outside.send(tcp_back('SA', 900, 101, dport=port)); settle()
        inside.send(tcp('A', 101, 901, sport=port)); settle()
        inside.send(tcp('PA', 101, 901, b'request', sport=port)); settle()
        outside.send(tcp_back('PA', 901, 108, b'response', dport=port)); settle()
        inside.send(tcp('A', 108, 909, sport=port)); settle()
        if ending == 'close':
            inside.send(tcp('FA', 108, 909, sport=port)); settle()
            outside.send(tcp_back('FA', 909, 109, dport=port)); settle()
            inside.send(tcp('A', 109, 910, sport=port))
        elif ending == 'reset':
            inside.send(tcp('R', 108, 0, sport=port))
        else:
            outside.send(tcp_back('RA', 909, 108, dport=port))
    return run


def handshake(port):
    inside.send(tcp('S', 100, 0, sport=port)); settle()
    outside.send(tcp_back('SA', 900, 101, dport=port)); settle()
    inside.send(tcp('A', 101, 901, sport=port)); settle()


def lie(packet, at, value):
    """A datagram with a 16-bit word of its payload changed, the header's sums as they were."""
    raw = bytearray(bytes(packet))
    struct.pack_into('>H', raw, 20 + at, value)
    return bytes(raw)


def same_port(src, port):
    inside.send(udp(src, port)); settle()


def options(*list):
    return there_and_back(udp(IN1, 5010, options=[*list]), udp_answer(options=[*list]))


settle()
step('udp', there_and_back(udp(IN1, 5000), udp_answer()))
step('udp without data', there_and_back(udp(IN1, 5001, data=b''), udp_answer(b'')))
step('udp checksum 0', there_and_back(without_checksum(udp(IN1, 5002)), lambda heard: [without_checksum(udp_answer()(heard)[0])]))
step('udp with ToS and DF', there_and_back(udp(IN1, 5003, tos=0xb8, flags='DF'), udp_answer(tos=0xb8, flags='DF')))
step('udp low port', there_and_back(udp(IN1, 99), udp_answer()))
step('one port, two destination ports', lambda: [inside.send(udp(IN1, 5004, 53)), inside.send(udp(IN1, 5004, 54))])
step('echo', there_and_back(IP(src=IN1, dst=FAR, id=3) / ICMP(id=0x777, seq=5) / b'data', lambda heard: [IP(src=FAR, dst=heard.src, id=4) / ICMP(type=0, id=heard[ICMP].id, seq=5) / b'data']))
step('timestamp request', there_and_back(IP(src=IN1, dst=FAR, id=3) / ICMP(type=13, id=0x778, seq=5, ts_ori=1, ts_rx=2, ts_tx=3), lambda heard: [IP(src=FAR, dst=heard.src, id=4) / ICMP(type=14, id=heard[ICMP].id, seq=5, ts_ori=1, ts_rx=2, ts_tx=3)]))
step('tcp, closed from inside', conversation(5200, 'close'))
step('tcp, reset from inside', conversation(5201, 'reset'))
step('tcp, reset from outside', conversation(5202, 'reset back'))
step('tcp, refused', lambda: [inside.send(tcp('S', 100, 0, sport=5203)), settle(), outside.send(tcp_back('RA', 0, 101, dport=5203))])
step('gre', there_and_back(IP(src=IN1, dst=FAR, id=5, proto=47) / Raw(b'\0\0\x08\0' + bytes(20)), lambda heard: [IP(src=FAR, dst=heard.src, id=6, proto=47) / Raw(b'\0\0\x08\0' + bytes(20))]))
step('esp', there_and_back(IP(src=IN1, dst=FAR, id=5, proto=50) / Raw(bytes(range(1, 25))), lambda heard: [IP(src=FAR, dst=heard.src, id=6, proto=50) / Raw(bytes(range(3, 27)))]))
for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 1, 0)):
    step('udp fragments ' + ' '.join(map(str, order)), fragments(order), True)
step('echo fragments 2 0 1', fragments((2, 0, 1), protocol='icmp'), True)
step('a fragment twice', lambda: send_all(inside, [p for p in pieces(udp(IN1, 5101, data=bytes(150), id=0x4901)) for _ in (0, 1)]), True)
step('overlapping fragments', lambda: send_all(inside, [pieces(udp(IN1, 5102, data=bytes(184), id=0x4902))[i] for i in (0, 2)] + [bytes(IP(src=IN1, dst=FAR, id=0x4902, proto=17, flags='MF', frag=7) / Raw(bytes(64)))] + [pieces(udp(IN1, 5102, data=bytes(184), id=0x4902))[1]]), True)

step('error of the far host: port unreachable', error_about(udp(IN1, 5300), lambda heard: error(3, 3, heard)))
step('error of the far host, 8 bytes quoted', error_about(udp(IN1, 5301, data=bytes(100)), lambda heard: error(3, 3, heard[:28])))
step('error of the far host, 4 bytes quoted', error_about(udp(IN1, 5302), lambda heard: error(3, 3, heard[:24])))
step('error of the far host, the header alone quoted', error_about(udp(IN1, 5303), lambda heard: error(3, 3, heard[:20])))
step('error of the far host about tcp, 8 bytes', error_about(tcp('S', 100, 0, sport=5304), lambda heard: error(3, 3, heard[:28])))
step('error of the far host about tcp, all', error_about(tcp('S', 100, 0, sport=5305), lambda heard: error(3, 13, heard)))
step('error of the far host about an echo', error_about(IP(src=IN1, dst=FAR, id=3) / ICMP(id=0x779, seq=5) / b'data', lambda heard: error(3, 1, heard)))
step('error of a router on the way: time exceeded', error_about(udp(IN1, 5306), lambda heard: error(11, 0, heard, src='192.0.2.99')))
step('error of a router on the way: too big', error_about(udp(IN1, 5307, flags='DF'), lambda heard: error(3, 4, heard[:28], src='192.0.2.99', rest=1300)))
step('error of a router on the way: parameter problem', error_about(udp(IN1, 5308), lambda heard: error(12, 0, heard, src='192.0.2.99', rest=9 << 24)))
step('error of a router on the way: source quench', error_about(udp(IN1, 5309), lambda heard: error(4, 0, heard, src='192.0.2.99')))
step('error quoting options', error_about(udp(IN1, 5310, options=[IPOption_NOP(), IPOption_NOP(), IPOption_NOP(), IPOption_NOP()]), lambda heard: error(3, 3, heard)))
step('error about gre', error_about(IP(src=IN1, dst=FAR, id=5, proto=47) / Raw(b'\0\0\x08\0' + bytes(20)), lambda heard: error(3, 2, heard)))
step('error about esp', error_about(IP(src=IN1, dst=FAR, id=5, proto=50) / Raw(bytes(range(1, 25))), lambda heard: error(3, 2, heard)))
step('error with a wrong checksum', error_about(udp(IN1, 5311), lambda heard: error(3, 3, heard, check=0x1234)))
step('error whose quoted header has a wrong checksum', error_about(udp(IN1, 5312), lambda heard: error(3, 3, heard[:10] + b'\x12\x34' + heard[12:])))
step('error about an error', error_about(udp(IN1, 5313), lambda heard: error(3, 3, bytes(error(3, 3, heard, src=GLOBAL, dst=FAR)))))
step('error about a later fragment', error_about(udp(IN1, 5314), lambda heard: error(3, 3, bytes(IP(src=GLOBAL, dst=FAR, id=9, frag=8, proto=17) / Raw(heard[20:])))))
step('error about no flow', lambda: outside.send(error(3, 3, bytes(udp(GLOBAL, 5999, 5999)))))
step('error about a flow, to somebody else', error_about(udp(IN1, 5315), lambda heard: error(3, 3, heard, dst=IN1)))
step('redirect', error_about(udp(IN1, 5316), lambda heard: error(5, 1, heard, src=MIDDLE)))
def error_from_inside(port, make):
    """What comes back is answered with an error."""
    def run():
        inside.send(udp(IN1, port))
        outside.send(udp_answer()(IP(take('outside')[-1]))[0])
        inside.send(make(take('inside')[-1]))
    return run


step('error from inside: port unreachable', error_from_inside(5320, lambda heard: error(3, 3, heard, src=IN1, dst=FAR)))
step('error from inside, 8 bytes quoted, by a router there', error_from_inside(5321, lambda heard: error(11, 0, heard[:28], src='10.0.1.77', dst=FAR)))

step('ttl 1 from inside', lambda: inside.send(udp(IN1, 5400, ttl=1)))
step('ttl 2 from inside', lambda: inside.send(udp(IN1, 5401, ttl=2)))
step('ttl 3 from inside', lambda: inside.send(udp(IN1, 5402, ttl=3)))
step('ttl 2 from outside', there_and_back(udp(IN1, 5403), lambda heard: [IP(src=FAR, dst=heard.src, id=7, ttl=2) / UDP(sport=53, dport=heard.sport) / b'x']))
step('ttl 3 from outside', there_and_back(udp(IN1, 5404), lambda heard: [IP(src=FAR, dst=heard.src, id=7, ttl=3) / UDP(sport=53, dport=heard.sport) / b'x']))
step('too big for the way out, DF', lambda: inside.send(udp(IN1, 5405, data=bytes(1400), flags='DF')))
step('too big for the middle, DF', lambda: inside.send(udp(IN1, 5407, data=bytes(1300), flags='DF')))
step('too big for the way out', lambda: inside.send(udp(IN1, 5406, data=bytes(range(250)) * 5 + bytes(150))), True)

step('unsolicited udp', lambda: outside.send(IP(src=FAR, dst=GLOBAL, id=8) / UDP(sport=999, dport=998) / b'x'))
step('unsolicited syn', lambda: outside.send(tcp_back('S', 1, 0, sport=999, dport=5998)))
step('unsolicited echo', lambda: outside.send(IP(src=FAR, dst=GLOBAL, id=8) / ICMP(id=0x999) / b'x'))
step('from another port of the peer', there_and_back(udp(IN1, 5500), lambda heard: [IP(src=FAR, dst=heard.src, id=8) / UDP(sport=54, dport=heard.sport) / b'x']))
step('from another address', there_and_back(udp(IN1, 5501), lambda heard: [IP(src='198.51.100.21', dst=heard.src, id=8) / UDP(sport=53, dport=heard.sport) / b'x']))
step('hairpin', lambda: (inside.send(udp(IN1, 5502)), settle(), inside.send(udp(IN2, 5503, 5502, dst=GLOBAL))))
step('to the router itself', lambda: inside.send(udp(IN1, 5504, 5504, dst='10.0.1.1')))

step('option nop', options(IPOption_NOP(), IPOption_NOP(), IPOption_NOP(), IPOption_NOP()))
step('option router alert', options(IPOption_Router_Alert()))
step('option record route', options(IPOption_RR(length=11, routers=['0.0.0.0', '0.0.0.0']), IPOption_NOP()))
step('option source route', lambda: inside.send(udp(IN1, 5011, options=[IPOption_LSRR(routers=['198.51.100.21']), IPOption_NOP()])))

step('udp length 4', lambda: inside.send(lie(udp(IN1, 5600), 4, 4)))
step('udp length beyond the datagram', lambda: inside.send(lie(udp(IN1, 5601), 4, 99)))
step('tcp data offset 4', lambda: inside.send(lie(tcp('S', 100, 0, sport=5602), 12, 0x4002)))
step('udp with a wrong checksum', lambda: inside.send(lie(udp(IN1, 5603), 6, 0x1234)))
step('syn and fin', lambda: inside.send(tcp('SF', 100, 0, sport=5604)))
step('a later fragment alone', lambda: inside.send(pieces(udp(IN1, 5605, data=bytes(150), id=0x4999))[1]))

# Last: what the NAT chooses.
def chosen(name, run, key):
    """Two hosts want the same: the first gets it, the second something else, of the same range."""
    step(name, run)
    got = [packet[key] for packet in steps[-1]['outside']]
    steps[-1] = {'name': name, 'kept': got[0], 'another': len(set(got)) == 2, 'seen': len(got)}


chosen('one port of two hosts', lambda: (same_port(IN1, 5700), same_port(IN2, 5700)), 'sport')
chosen('one identifier of two hosts', lambda: [inside.send(IP(src=src, dst=FAR, id=3) / ICMP(id=0x77a, seq=5) / b'data') for src in (IN1, IN2)], 'rest')


# Sockets of the hosts' own kernels: 10.0.1.10 and 198.51.100.10. A socket stays in the network it was made in.
def sock(node, kind, address=None):
    enter(node)
    made = socket.socket(socket.AF_INET, kind)
    made.settimeout(30)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if address:
        made.bind(address)
    return made


def told(run):
    try:
        return run()
    except OSError as failure:
        return type(failure).__name__


def read_all(link):
    got = b''
    while True:
        more = link.recv(65536)
        if not more:
            return got
        got += more


def real(name, run):
    steps.append({'name': name, 'told': told(run)})


server = sock('outside', socket.SOCK_STREAM, ('198.51.100.10', 8080))
server.listen(8)


def connect(port):
    client = sock('inside', socket.SOCK_STREAM, ('10.0.1.10', port))
    client.connect(('198.51.100.10', 8080))
    accepted, peer = server.accept()
    accepted.settimeout(30)
    return client, accepted, list(peer)


def transfer():
    client, accepted, peer = connect(6001)
    data = bytes(i * 7 % 251 for i in range(300_000))
    sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
    sender.start()
    up = read_all(accepted)
    sender.join()
    sender = threading.Thread(target=lambda: (accepted.sendall(data), accepted.close()))
    sender.start()
    down = read_all(client)
    sender.join()
    return [peer, up == data, down == data, client.getsockopt(socket.IPPROTO_IP, 14)]


def reset():
    client, accepted, peer = connect(6002)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    accepted.close()
    return [peer, told(lambda: client.recv(1))]


def refused():
    sock('inside', socket.SOCK_STREAM, ('10.0.1.10', 6003)).connect(('198.51.100.10', 8081))


def unreachable():
    client = sock('inside', socket.SOCK_DGRAM, ('10.0.1.10', 6004))
    client.connect(('198.51.100.10', 9))
    client.send(b'x')
    return client.recv(1)


def path_mtu():
    peer = sock('outside', socket.SOCK_DGRAM, ('198.51.100.11', 9000))
    client = sock('inside', socket.SOCK_DGRAM, ('10.0.1.10', 6005))
    client.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
    client.connect(('198.51.100.11', 9000))
    sizes, tries = [], 0
    while True:
        mtu = client.getsockopt(socket.IPPROTO_IP, 14)  # IP_MTU
        tries += 1
        if mtu not in sizes:
            sizes.append(mtu)
        told(lambda: client.send(b'x' * (mtu - 28)))
        peer.settimeout(0.3)
        if told(lambda: len(peer.recv(2000))) == mtu - 28:
            return sizes
        if tries > 50:
            return sizes


def hairpin():
    sock('inside', socket.SOCK_STREAM, ('10.0.1.10', 6006)).connect((GLOBAL, 6001))


real('sockets: tcp there and back, and what path it believes in', transfer)
real('sockets: tcp reset', reset)
real('sockets: tcp refused', refused)
real('sockets: udp to a closed port', unreachable)
real('sockets: the path’s MTU is learnt hop by hop', path_mtu)
real('sockets: tcp to the global address', hairpin)
seen.clear()
settle()
steps.append({'name': 'private addresses outside', 'told': sum(packet[12:15] == bytes([10, 0, 1]) for packet in everything)})
print(json.dumps(steps))
