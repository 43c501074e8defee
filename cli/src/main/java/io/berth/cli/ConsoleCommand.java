package io.berth.cli;

import io.berth.api.v1.InfoRequest;
import io.berth.api.v1.InfoResponse;
import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cli.output.Screen;
import java.io.IOException;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import picocli.CommandLine.Command;

/** {@code berth console}: where the console is, with the token that opens it. */
@Command(name = "console", description = "Print the address of the console, a page that shows pods, pulls, timelines, usage and"
        + " findings of this node in a browser. Who has the address may look: it holds the token. Needs console.enable = true in"
        + " the configuration.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth console",
            "  ssh -L 10280:127.0.0.1:10280 NODE     then open what \"berth console\" printed there"})
final class ConsoleCommand extends DaemonCommand {

    @Override
    int run(Connection berth) {
        InfoResponse info = berth.berth().info(InfoRequest.getDefaultInstance());
        if (!info.getSettingsOrDefault("console.enable", "false").equals("true")) {
            throw RuntimeFault.precondition("open the console: it is off: set console.enable = true in"
                    + " /etc/berth/config.toml and restart the daemon (containers run on)");
        }
        String url = read(Path.of(info.getState(), "console.url"));
        out().println(url);
        if (Screen.isTerminal(1)) {
            int port = URI.create(url).getPort();
            out().println("from another machine: ssh -L " + port + ":127.0.0.1:" + port + " NODE, then the same address there");
        }
        return 0;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (NoSuchFileException e) {
            throw RuntimeFault.notFound("open the console: " + file + " is not there: restart the daemon to have it written");
        } catch (AccessDeniedException e) {
            throw new RuntimeFault(RuntimeFault.Kind.PERMISSION_DENIED,
                    "open the console: " + file + " is root's alone: run this with sudo", e);
        } catch (IOException e) {
            throw RuntimeFault.internal("read " + file + ": " + RuntimeFault.reason(e), e);
        }
    }
}
