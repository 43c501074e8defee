package io.berth.image;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** What a registry's refusal means, in its own words. Source: OCI distribution-spec, "Error Codes". */
final class RegistryAnswer {

    private static final int BODY_LIMIT = 64 * 1024;
    private static final int WORDS_LIMIT = 400;

    private RegistryAnswer() {}

    /** The fault for an answer whose status is not good; closes the body. */
    static RegistryFault refusal(String action, String host, HttpResponse<InputStream> response) {
        int status = response.statusCode();
        String words = words(response);
        String said = words.isEmpty() ? "" : ": " + words;
        return switch (status) {
            case 401 -> RegistryFault.lasting(Kind.UNAUTHENTICATED, action + ": " + host
                    + " does not accept the login" + said, null);
            case 403 -> RegistryFault.lasting(Kind.PERMISSION_DENIED, action + ": " + host + " forbids it" + said, null);
            case 404 -> RegistryFault.lasting(Kind.NOT_FOUND, action + ": not found at " + host + said, null);
            case 429 -> RegistryFault.passing(Kind.RESOURCE_EXHAUSTED, action + ": " + host
                    + " limits the rate of requests" + said, null, retryAfter(response));
            default -> {
                String message = action + ": " + host + " answered with status " + status + said;
                yield RegistrySession.passingStatuses().contains(status)
                        ? RegistryFault.passing(Kind.UNAVAILABLE, message, null, retryAfter(response))
                        : RegistryFault.lasting(Kind.UNAVAILABLE, message, null);
            }
        };
    }

    /** The fault for a login that was not accepted or that there is nothing for; closes the body. */
    static RegistryFault loginRefused(String action, String host, Optional<FoundCredentials> used,
            HttpResponse<InputStream> response) {
        String words = words(response);
        String said = words.isEmpty() ? "" : ": it says \"" + words + "\"";
        return RegistryFault.lasting(Kind.UNAUTHENTICATED, action + ": " + host + used.map(found ->
                " does not accept the credentials of " + found.source() + said
                        + ": check user name and password, and whether they may pull it")
                .orElse(" wants a login and there are no credentials for it" + said
                        + ": give an imagePullSecret, or put them into the credentials file"), null);
    }

    private static String words(HttpResponse<InputStream> response) {
        byte[] body;
        try (InputStream in = response.body()) {
            body = in.readNBytes(BODY_LIMIT);
        } catch (IOException e) {
            return "";
        }
        List<String> parts = new ArrayList<>();
        try {
            BoundedJson document = BoundedJson.parse("answer", body, BODY_LIMIT);
            for (JsonNode error : document.objects(document.root(), "errors")) {
                String message = document.string(error, "message");
                parts.add(message.isEmpty() ? document.string(error, "code") : message);
            }
            if (parts.isEmpty()) {
                parts.add(document.string(document.root(), "details"));
                parts.add(document.string(document.root(), "message"));
            }
        } catch (RuntimeFault notJson) {
            String type = response.headers().firstValue("Content-Type").orElse("");
            if (!type.startsWith("text/html")) {
                parts.add(new String(body, StandardCharsets.UTF_8));
            }
        }
        String words = String.join("; ", parts.stream().filter(part -> !part.isBlank()).toList())
                .replaceAll("[\\p{Cntrl}\\p{Cf}\\s]+", " ").strip();
        return words.length() > WORDS_LIMIT ? words.substring(0, WORDS_LIMIT) + "…" : words;
    }

    private static Optional<Duration> retryAfter(HttpResponse<InputStream> response) {
        return response.headers().firstValue("Retry-After").flatMap(value -> {
            if (value.matches("\\d{1,6}")) {
                return Optional.of(Duration.ofSeconds(Long.parseLong(value)));
            }
            try {
                var at = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
                Duration until = Duration.between(Instant.now(), at);
                return until.isNegative() ? Optional.empty() : Optional.of(until);
            } catch (DateTimeException e) {
                return Optional.empty();
            }
        });
    }
}
