# Opens or seals ESP with scapy: a list of jobs as JSON on stdin, a list of packets for each as JSON on stdout; null where one does not verify.
# Extended sequence numbers ("highs": the upper half for each packet): scapy has them in combined modes alone. An HMAC over what scapy made, and over the
# upper half behind it (RFC 4303 section 3.3.2.1), is Python's.
import hashlib, hmac, json, struct, sys
from scapy.all import IP, UDP, Raw, raw
from scapy.layers.ipsec import ESP, IPSecIntegrityError, SecurityAssociation

DIGESTS = {"NULL": (None, 0), "HMAC-SHA1-96": ("sha1", 12), "SHA2-256-128": ("sha256", 16)}


def icv(job, esp, high):
    digest, length = DIGESTS[job["auth"]]
    return hmac.new(bytes.fromhex(job["authKey"]), esp + struct.pack("!L", high), digest).digest()[:length]


def without_icv(job, packet, high):
    whole, length = raw(packet[ESP]), DIGESTS[job["auth"]][1]
    if not hmac.compare_digest(icv(job, whole[:-length], high), whole[-length:]):
        raise IPSecIntegrityError("the ICV is wrong")
    return IP(raw(IP(src=packet.src, dst=packet.dst, proto=50) / Raw(whole[:-length])))


def run(job):
    highs = job.get("highs")
    apart = highs is not None and job["auth"] != "NULL"
    sa = SecurityAssociation(ESP, spi=job["spi"], crypt_algo=job["crypt"], crypt_key=bytes.fromhex(job["cryptKey"]),
                             auth_algo="NULL" if apart else job["auth"], auth_key=bytes.fromhex(job["authKey"]),
                             tunnel_header=None if job.get("transport") else IP(src=job["src"], dst=job["dst"]))
    out = []
    for n, item in enumerate(job["packets"]):
        packet = IP(bytes.fromhex(item))
        more = {"esn_en": True, "esn": highs[n]} if highs else {}
        if job["do"] == "open":
            out.append(raw(sa.decrypt(without_icv(job, packet, highs[n]) if apart else packet, **more)).hex())
        else:
            iv = bytes.fromhex(job["ivs"][n]) if "ivs" in job else None
            sealed = sa.encrypt(packet, seq_num=job["sequences"][n] if "sequences" in job else n + 1, iv=iv, **more)
            if apart:
                sealed[ESP].data += icv(job, raw(sealed[ESP]), highs[n])
                del sealed.len, sealed.chksum
            out.append(raw(sealed).hex())
    return out


def judge(job):
    try:
        return run(job)
    except IPSecIntegrityError:
        return None


json.dump([judge(job) for job in json.load(sys.stdin)], sys.stdout)
