package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.SupplementalGroupsPolicy;
import io.berth.pod.record.Container;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whom a container's process runs as, by the CRI's security context and the image's {@code User}, looked up in the image's
 * own passwd and group files. What is a number stays that number; names that are unknown are refused.
 *
 * @param user the numbers
 * @param home the user's home directory where the passwd file tells one
 */
public record ProcessUser(Container.User user, Optional<String> home) {

    /** The largest id: the kernel keeps the one above as "no change". */
    private static final long MAX_ID = 0xfffffffeL;

    /** Looks up in {@code rootfs}, whose files are hostile. */
    public static ProcessUser resolve(LinuxContainerSecurityContext security, String imageUser, Path rootfs) {
        if (security.hasRunAsGroup() && !security.hasRunAsUser() && security.getRunAsUsername().isEmpty()) {
            throw RuntimeFault.invalid("use group " + security.getRunAsGroup().getValue()
                    + ": run_as_group needs run_as_user or run_as_username");
        }
        String wanted = security.hasRunAsUser() ? Long.toString(security.getRunAsUser().getValue())
                : !security.getRunAsUsername().isEmpty() ? security.getRunAsUsername() : imageUser;
        int colon = wanted.indexOf(':');
        String userPart = colon < 0 ? wanted : wanted.substring(0, colon);
        String groupPart = colon < 0 ? "" : wanted.substring(colon + 1);
        AccountFiles files = AccountFiles.of(rootfs);
        Optional<AccountFiles.User> entry = userPart.isEmpty() ? files.user(0) : userOf(files, userPart);
        long uid = entry.map(AccountFiles.User::uid).orElseGet(() -> userPart.isEmpty() ? 0 : number(userPart, "user"));
        long gid = security.hasRunAsGroup() ? checked(security.getRunAsGroup().getValue(), "group")
                : !groupPart.isEmpty() ? groupOf(files, groupPart) : entry.map(AccountFiles.User::gid).orElse(0L);
        return new ProcessUser(new Container.User(uid, gid, groups(security, files, entry, gid)),
                entry.map(AccountFiles.User::home).filter(home -> home.startsWith("/")));
    }

    private static Optional<AccountFiles.User> userOf(AccountFiles files, String text) {
        if (isNumber(text)) {
            return files.user(number(text, "user"));
        }
        Optional<AccountFiles.User> found = files.user(text);
        if (found.isEmpty()) {
            throw RuntimeFault.invalid("use user " + text + ": the image's /etc/passwd has no such name");
        }
        return found;
    }

    private static long groupOf(AccountFiles files, String text) {
        return isNumber(text) ? number(text, "group") : files.group(text)
                .orElseThrow(() -> RuntimeFault.invalid("use group " + text + ": the image's /etc/group has no such name"));
    }

    private static List<Long> groups(LinuxContainerSecurityContext security, AccountFiles files,
            Optional<AccountFiles.User> entry, long gid) {
        Set<Long> groups = new LinkedHashSet<>();
        // With its own group among them, a process cannot shed a deny rule for that group.
        groups.add(gid);
        if (security.getSupplementalGroupsPolicy() == SupplementalGroupsPolicy.Merge) {
            entry.ifPresent(user -> groups.addAll(files.groupsOf(user.name())));
        }
        security.getSupplementalGroupsList().forEach(group -> groups.add(checked(group, "group")));
        return List.copyOf(groups);
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9' || c == '-');
    }

    private static long number(String text, String what) {
        try {
            return checked(Long.parseLong(text), what);
        } catch (NumberFormatException e) {
            throw RuntimeFault.invalid("use " + what + " " + text + ": not a number from 0 to " + MAX_ID);
        }
    }

    private static long checked(long value, String what) {
        if (value < 0 || value > MAX_ID) {
            throw RuntimeFault.invalid("use " + what + " " + value + ": not a number from 0 to " + MAX_ID);
        }
        return value;
    }
}
