# Opens or seals ESP with scapy, told by JSON on stdin; results as JSON on stdout.
import json, sys
from scapy.all import IP, UDP, Raw, raw
from scapy.layers.ipsec import SecurityAssociation, ESP

job = json.load(sys.stdin)
sa = SecurityAssociation(ESP, spi=job["spi"], crypt_algo=job["crypt"], crypt_key=bytes.fromhex(job["cryptKey"]),
                         auth_algo=job["auth"], auth_key=bytes.fromhex(job["authKey"]),
                         tunnel_header=None if job.get("transport") else IP(src=job["src"], dst=job["dst"]))
out = []
for item in job["packets"]:
    packet = IP(bytes.fromhex(item))
    if job["do"] == "open":
        out.append(raw(sa.decrypt(packet)).hex())
    else:
        iv = bytes.fromhex(job["ivs"][len(out)]) if "ivs" in job else None
        out.append(raw(sa.encrypt(packet, seq_num=len(out) + 1, iv=iv)).hex())
json.dump(out, sys.stdout)
