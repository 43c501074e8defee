package io.berth.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A public key in a PEM file, as {@code openssl} and {@code cosign} write it: ECDSA, RSA or Ed25519. */
final class PublicKeyFile {

    private static final Pattern PEM = Pattern.compile("-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\\s]+)-----END PUBLIC KEY-----");
    private static final List<String> ALGORITHMS = List.of("EC", "RSA", "Ed25519");

    private PublicKeyFile() {}

    static PublicKey read(Path file) throws IOException {
        Matcher matcher = PEM.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
        if (matcher.find()) {
            var encoded = new X509EncodedKeySpec(Base64.getMimeDecoder().decode(matcher.group(1)));
            for (String algorithm : ALGORITHMS) {
                try {
                    return KeyFactory.getInstance(algorithm).generatePublic(encoded);
                } catch (GeneralSecurityException otherKind) {
                    continue;
                }
            }
        }
        throw new IOException(file + " has no public key (PEM, \"BEGIN PUBLIC KEY\") of type ECDSA, RSA or Ed25519");
    }
}
