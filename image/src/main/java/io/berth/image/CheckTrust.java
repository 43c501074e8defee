package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Refuses an image that the trust policy does not accept, before any of its layers is fetched. Signatures are those of
 * cosign: payloads in an image beside the signed one, whose tag is the digest. Stateless.
 *
 * <p>Source: sigstore's cosign, "Signature Specification"; containers-signature(5), "JSON data format".
 */
final class CheckTrust {

    static final String PAYLOAD_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";
    static final String SIGNATURE = "dev.cosignproject.cosign/signature";
    private static final int SIGNATURE_LIMIT = 64;
    static final int PAYLOAD_LIMIT = 1 << 20;

    /** A signed text and its signature. */
    record Signed(byte[] payload, byte[] signature) {}

    private final TrustPolicy policy;

    CheckTrust(TrustPolicy policy) {
        this.policy = policy;
    }

    /**
     * @param digests by which the image may be signed: that of its index and of its manifest
     * @param signatures fetches what is signed for a digest; empty when there is nothing
     * @throws RuntimeFault PERMISSION_DENIED when it is not accepted
     */
    void check(ImageReference image, Set<Digest> digests, Function<Digest, List<Signed>> signatures) {
        TrustPolicy.Rule rule = policy.rule(image);
        for (TrustPolicy.Requirement requirement : rule.requirements()) {
            switch (requirement) {
                case TrustPolicy.Requirement.Accept accept -> { }
                case TrustPolicy.Requirement.Reject reject -> throw refused(image, rule, "it rejects such images");
                case TrustPolicy.Requirement.Unknown unknown ->
                    throw refused(image, rule, "it asks for \"" + unknown.type() + "\", which Berth cannot check");
                case TrustPolicy.Requirement.Signed signed -> signed(image, rule, signed, digests, signatures);
            }
        }
    }

    private void signed(ImageReference image, TrustPolicy.Rule rule, TrustPolicy.Requirement.Signed wanted,
            Set<Digest> digests, Function<Digest, List<Signed>> signatures) {
        List<String> reasons = new ArrayList<>();
        for (Digest digest : digests) {
            List<Signed> found = signatures.apply(digest);
            if (found.isEmpty()) {
                reasons.add("there is no signature for " + digest);
            }
            for (Signed signed : found.stream().limit(SIGNATURE_LIMIT).toList()) {
                String problem = problem(signed, wanted.keys(), image, digest);
                if (problem.isEmpty()) {
                    return;
                }
                reasons.add(problem);
            }
        }
        throw refused(image, rule, String.join("; ", reasons.stream().distinct().toList()));
    }

    private static String problem(Signed signed, List<PublicKey> keys, ImageReference image, Digest digest) {
        if (keys.stream().noneMatch(key -> isBy(key, signed))) {
            return "a signature is by none of the keys";
        }
        try {
            BoundedJson document = BoundedJson.parse("signature", signed.payload, PAYLOAD_LIMIT);
            var critical = document.object(document.root(), "critical");
            String of = document.string(document.object(critical, "image"), "docker-manifest-digest");
            String name = document.string(document.object(critical, "identity"), "docker-reference");
            if (!of.equals(digest.toString())) {
                return "a signature is for " + of;
            }
            return ImageReference.parse(name).name().equals(image.name()) ? "" : "a signature is for an image of the name " + name;
        } catch (RuntimeFault malformed) {
            return "a signed text is malformed";
        }
    }

    private static boolean isBy(PublicKey key, Signed signed) {
        String algorithm = switch (key.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> "Ed25519";
        };
        try {
            Signature check = Signature.getInstance(algorithm);
            check.initVerify(key);
            check.update(signed.payload);
            return check.verify(signed.signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    static byte[] decoded(String base64) {
        try {
            return Base64.getDecoder().decode(base64.strip().getBytes(StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }

    private RuntimeFault refused(ImageReference image, TrustPolicy.Rule rule, String reason) {
        return new RuntimeFault(Kind.PERMISSION_DENIED, "pull image " + image + ": the trust policy " + policy.file()
                + " does not accept it (rule " + rule.scope() + "): " + reason);
    }
}
