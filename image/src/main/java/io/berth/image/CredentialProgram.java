package io.berth.image;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Asks a credential helper, a program {@code docker-credential-NAME} in PATH, for the credentials of a server. Source:
 * docker-credential-helpers, "Development": {@code get} reads the server from its input and answers in JSON.
 */
final class CredentialProgram {

    private static final int ANSWER_LIMIT = 1 << 20;
    private static final int SECONDS = 30;

    private CredentialProgram() {}

    /** Empty when the helper knows none; a helper that fails is a fault of kind UNAUTHENTICATED. */
    static Optional<RegistryCredentials> ask(String helper, String server) {
        if (!helper.matches("[A-Za-z0-9._-]{1,64}")) {
            throw RuntimeFault.invalid("ask credential helper: \"" + helper.replaceAll("[^\\x20-\\x7e]", "?")
                    + "\" is not a name");
        }
        String program = "docker-credential-" + helper;
        try {
            Process process = new ProcessBuilder(program, "get").redirectError(ProcessBuilder.Redirect.DISCARD).start();
            // Ends the program also when it hangs while we read.
            var watch = Thread.startVirtualThread(() -> endAfterLimit(process));
            try {
                process.outputWriter(StandardCharsets.UTF_8).append(server).append('\n').close();
                byte[] answer;
                try (InputStream out = process.getInputStream()) {
                    answer = out.readNBytes(ANSWER_LIMIT);
                }
                int code = process.waitFor();
                return read(program, server, code, answer);
            } finally {
                process.destroyForcibly();
                watch.interrupt();
            }
        } catch (IOException e) {
            throw failed(program, server, RuntimeFault.reason(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "ask " + program + ": cancelled", e);
        }
    }

    private static Optional<RegistryCredentials> read(String program, String server, int code, byte[] answer) {
        String text = new String(answer, StandardCharsets.UTF_8);
        if (code != 0) {
            if (text.toLowerCase(java.util.Locale.ROOT).contains("credentials not found")) {
                return Optional.empty();
            }
            throw failed(program, server, "it ended with code " + code);
        }
        BoundedJson document = BoundedJson.parse("answer of " + program, answer, ANSWER_LIMIT);
        String user = document.string(document.root(), "Username");
        String secret = document.string(document.root(), "Secret");
        // By convention this name says that the secret is a refresh token.
        return Optional.of(user.equals("<token>") ? new RegistryCredentials("", "", "", secret, "", "")
                : RegistryCredentials.basic(user, secret));
    }

    private static void endAfterLimit(Process process) {
        try {
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            // It has answered, or nobody wants the answer any more.
            return;
        }
    }

    private static RuntimeFault failed(String program, String server, String reason) {
        return new RuntimeFault(RuntimeFault.Kind.UNAUTHENTICATED, "ask " + program + " for the credentials of " + server
                + ": " + reason + ": try \"echo " + server + " | " + program + " get\"");
    }
}
