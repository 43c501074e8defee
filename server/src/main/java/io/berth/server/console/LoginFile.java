package io.berth.server.console;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The console's address with its token, in a file that only the daemon's user can read: {@code http://127.0.0.1:PORT/#TOKEN}.
 * What follows the {@code #} is never sent by a browser, so it is in no log and in no Referer. The token outlives the daemon,
 * so that an open page goes on after an upgrade; removing the file and restarting the daemon makes another.
 */
final class LoginFile {

    /** Its name in the state directory. */
    static final String NAME = "console.url";

    private static final int TOKEN_BYTES = 32;
    private static final Pattern LOGIN = Pattern.compile("http://[^#\\s]+/#([A-Za-z0-9_-]{43})\\s*");
    private static final Set<PosixFilePermission> OWNER_ALONE = PosixFilePermissions.fromString("rw-------");

    private final Path file;
    private final byte[] token;

    private LoginFile(Path file, byte[] token) {
        this.file = file;
        this.token = token;
    }

    /** With the token of the file that is there, or a new one when there is none or it cannot be trusted. */
    static LoginFile in(Path directory) {
        Path file = directory.resolve(NAME);
        return new LoginFile(file, kept(file).getBytes(StandardCharsets.US_ASCII));
    }

    private static String kept(Path file) {
        try {
            if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                    && Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS).equals(OWNER_ALONE)) {
                Matcher login = LOGIN.matcher(Files.readString(file));
                return login.matches() ? login.group(1) : fresh();
            }
            return fresh();
        } catch (IOException e) {
            throw RuntimeFault.internal("read the console's token " + file + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static String fresh() {
        byte[] random = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(random);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    /** Writes the file for the address that is listened on. */
    void write(String host, int port) {
        String login = "http://" + host + ":" + port + "/#" + new String(token, StandardCharsets.US_ASCII) + "\n";
        Path beside = file.resolveSibling(NAME + ".new");
        try {
            Files.deleteIfExists(beside);
            Files.createFile(beside, PosixFilePermissions.asFileAttribute(OWNER_ALONE));
            Files.writeString(beside, login);
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw RuntimeFault.internal("write the console's token " + file + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** Whether {@code offered} is the token; takes equally long wherever it differs. */
    boolean opens(String offered) {
        return MessageDigest.isEqual(token, offered.getBytes(StandardCharsets.UTF_8));
    }
}
