// Verifies Sigstore bundles with Sigstore's own library:
// `node verify.mjs [--timestamps=N] TRUSTED_ROOT PUBLIC_KEY_DER BUNDLE…`. At least N time stamps are asked for (1).
// Writes one line of JSON for each bundle: {"verified":true}, or {"verified":false,"code":…,"message":…}; ends with
// exit code 1 when one of them is refused.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify';

const { values, positionals } = parseArgs({
  options: { timestamps: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const [trustedRoot, publicKey, ...bundles] = positionals;
if (bundles.length === 0 || !/^[0-9]$/.test(values.timestamps)) {
  throw new Error('expected [--timestamps=N] TRUSTED_ROOT PUBLIC_KEY_DER BUNDLE…');
}
const rawBytes = readFileSync(publicKey);
// The hint of a bundle is the SHA-256 of the key that the auditor pinned; any other hint finds no key.
const hint = createHash('sha256').update(rawBytes).digest('hex');
const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(readFileSync(trustedRoot, 'utf8'))), { [hint]: { rawBytes } });
const verifier = new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 1, timestampThreshold: Number(values.timestamps) });

for (const name of bundles) {
  let result = { verified: true };
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(readFileSync(name, 'utf8')))));
  } catch (error) {
    result = { verified: false, code: error.code ?? error.name, message: error.message };
    process.exitCode = 1;
  }
  console.log(JSON.stringify(result));
}
