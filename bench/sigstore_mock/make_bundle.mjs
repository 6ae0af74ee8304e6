// Signs one file in a Sigstore that exists only in this process.
//
//   node make_bundle.mjs FILE OUT_FOLDER
//
// writes bundle.sigstore.json (v0.3: certificate with its SCT, inclusion promise, inclusion proof, checkpoint)
// and trust_config.json (a ClientTrustConfig that trusts this run's keys and nothing else), and prints
// {"identity", "issuer"}, the two values `sigstore verify identity` has to be given.

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import mock from "@sigstore/mock";

const IDENTITY = "https://vendor.example/release";
const ISSUER = "https://issuer.example";
const LOG_URL = "https://log.example";
const OIDC_ISSUER_EXTENSIONS = [
  { oid: "1.3.6.1.4.1.57264.1.1", value: ISSUER, legacy: true },
  { oid: "1.3.6.1.4.1.57264.1.8", value: ISSUER },
];

const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const keyPair = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const pem = (der) => `-----BEGIN CERTIFICATE-----\n${base64(der).match(/.{1,64}/g).join("\n")}\n-----END CERTIFICATE-----\n`;

async function makeServices() {
  const ctlog = await mock.initializeCTLog(keyPair());
  const ca = await mock.initializeCA(keyPair(), ctlog);
  const tlog = await mock.initializeTLog(LOG_URL, keyPair());
  return { ctlog, ca, tlog };
}

async function signFile(content, { ca, tlog }) {
  const { privateKey, publicKey } = keyPair();
  const certificate = await ca.issueCertificate({
    publicKey: publicKey.export({ format: "der", type: "spki" }),
    subjectAltName: IDENTITY,
    extensions: OIDC_ISSUER_EXTENSIONS,
  });
  const signature = sign("sha256", content, privateKey);
  const digest = sha256(content);
  const logged = await tlog.log({
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: { hash: { algorithm: "sha256", value: digest.toString("hex") } },
      signature: {
        content: base64(signature),
        publicKey: { content: base64(pem(certificate)) },
      },
    },
  });
  return { certificate, signature, digest, entry: Object.values(logged)[0] };
}

function bundleOf({ certificate, signature, digest, entry }) {
  const { inclusionProof, signedEntryTimestamp } = entry.verification;
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      certificate: { rawBytes: base64(certificate) },
      tlogEntries: [
        {
          logIndex: String(entry.logIndex),
          logId: { keyId: base64(Buffer.from(entry.logID, "hex")) },
          kindVersion: { kind: "hashedrekord", version: "0.0.1" },
          integratedTime: String(entry.integratedTime),
          inclusionPromise: { signedEntryTimestamp },
          inclusionProof: {
            logIndex: String(inclusionProof.logIndex),
            rootHash: base64(Buffer.from(inclusionProof.rootHash, "hex")),
            treeSize: String(inclusionProof.treeSize),
            hashes: inclusionProof.hashes.map((hash) => base64(Buffer.from(hash, "hex"))),
            checkpoint: { envelope: inclusionProof.checkpoint },
          },
          canonicalizedBody: entry.body,
        },
      ],
    },
    messageSignature: {
      messageDigest: { algorithm: "SHA2_256", digest: base64(digest) },
      signature: base64(signature),
    },
  };
}

function trustConfigOf({ ctlog, ca, tlog }, start) {
  const trustedLog = (baseUrl, spki) => ({
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: base64(spki), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor: { start } },
    logId: { keyId: base64(sha256(spki)) },
  });
  return {
    mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
    trustedRoot: {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [trustedLog(LOG_URL, tlog.publicKey)],
      certificateAuthorities: [
        {
          subject: { organization: "sigstore.mock", commonName: "sigstore" },
          uri: "https://ca.example",
          certChain: { certificates: [{ rawBytes: base64(ca.rootCertificate) }] },
          validFor: { start },
        },
      ],
      ctlogs: [trustedLog("https://ctlog.example", ctlog.publicKey)],
      timestampAuthorities: [],
    },
    signingConfig: { mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json" },
  };
}

const [file, folder] = process.argv.slice(2);
if (!file || !folder) {
  console.error("usage: node make_bundle.mjs FILE OUT_FOLDER");
  process.exit(2);
}
const start = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
const services = await makeServices();
const signed = await signFile(readFileSync(file), services);
writeFileSync(join(folder, "bundle.sigstore.json"), JSON.stringify(bundleOf(signed)));
writeFileSync(join(folder, "trust_config.json"), JSON.stringify(trustConfigOf(services, start)));
console.log(JSON.stringify({ identity: IDENTITY, issuer: ISSUER }));
