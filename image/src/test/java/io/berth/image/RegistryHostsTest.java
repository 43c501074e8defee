package io.berth.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegistryHostsTest {

    @TempDir
    Path certs;

    private List<Endpoint> endpoints(String registry) {
        return new RegistryHosts(Optional.of(certs)).endpoints(registry);
    }

    private void write(String folder, String toml) throws IOException {
        Files.writeString(Files.createDirectories(certs.resolve(folder)).resolve("hosts.toml"), toml);
    }

    private static List<String> bases(List<Endpoint> endpoints) {
        return endpoints.stream().map(endpoint -> endpoint.base().toString()).toList();
    }

    @Test
    void withoutAFileTheRegistryItselfIsAskedByHttpsAndThisMachineByHttp() {
        assertEquals(List.of("https://registry-1.docker.io/v2"), bases(endpoints("docker.io")));
        assertEquals(List.of("https://registry.example:5000/v2"), bases(endpoints("registry.example:5000")));
        assertEquals(List.of("http://localhost:5000/v2"), bases(endpoints("localhost:5000")));
        assertEquals(List.of("http://127.0.0.1/v2"), bases(endpoints("127.0.0.1")));
        assertEquals(List.of("http://[::1]:5000/v2"), bases(endpoints("[::1]:5000")));
        assertEquals(List.of("https://localhost.example/v2"), bases(endpoints("localhost.example")));
    }

    @Test
    void mirrorsAreAskedInTheOrderOfTheFileAndThenTheServer() throws IOException {
        write("docker.io", """
                server = "https://docker.io"
                [host."https://z.example"]
                  capabilities = ["pull", "resolve"]
                  dial_timeout = "1.5s"
                [host."http://a.example:8080/proxy/v2"]
                  override_path = true
                  capabilities = "pull"
                  skip_verify = true
                  ca = "ca.pem"
                  client = [["c.pem", "c.key"], ["both.pem", ""]]
                  [host."http://a.example:8080/proxy/v2".header]
                    x-one = "1"
                    x-two = ["2", "3"]
                """);
        List<Endpoint> found = endpoints("docker.io");
        assertEquals(List.of("https://z.example/v2", "http://a.example:8080/proxy/v2", "https://registry-1.docker.io/v2"),
                bases(found));
        assertEquals(Optional.of(Duration.ofMillis(1500)), found.get(0).connectLimit());
        assertTrue(found.get(0).mirror());
        Endpoint second = found.get(1);
        assertFalse(second.resolves());
        assertTrue(second.pulls() && second.tls().skipVerify());
        assertEquals(List.of(certs.resolve("docker.io/ca.pem")), second.tls().authorities());
        assertEquals(certs.resolve("docker.io/both.pem"), second.tls().clients().get(1).key());
        assertEquals(List.of("2", "3"), second.headers().get("x-two"));
        assertFalse(found.get(2).mirror());
    }

    @Test
    void theFolderIsNamedAsContainerdNamesIt() throws IOException {
        write("_default", "[host.\"https://default.example\"]");
        write("r.example_5000_", "[host.\"https://one.example\"]");
        write("s.example:5000", "[host.\"https://two.example\"]");
        assertEquals("https://one.example/v2", bases(endpoints("r.example:5000")).getFirst());
        assertEquals("https://two.example/v2", bases(endpoints("s.example:5000")).getFirst());
        assertEquals(List.of("https://default.example/v2", "https://other.example/v2"), bases(endpoints("other.example")));
        write("other.example", "server = \"http://other.example:81\"");
        assertEquals(List.of("http://other.example:81/v2"), bases(endpoints("other.example")));
    }

    @Test
    void anErrorNamesTheFileAndTheKey() throws IOException {
        for (String[] bad : new String[][] {
            {"[host.\"https://m\"]\n skip_verify = \"yes\"", "skip_verify"}, {"[host.\"https://m\"]\n capabilties = []", "capabilties"},
            {"server = 3", "server"}, {"server = \"ftp://x\"", "server"}, {"[host.\"https://u:p@m\"]", "host.\"https://u:p@m\""},
            {"[host.\"https://m\"]\n capabilities = [\"fly\"]", "capabilities"}, {"[host.\"https://m\"]\n dial_timeout = \"1\"", "dial_timeout"},
            {"[host.\"https://m\"]\n ca = [1]", "ca"}, {"[header]\n Host = \"x\"", "header.Host"}, {"[header]\n a = \"x\\r\\ny\"", "header.a"},
            {"server = ", "line 1"}, {"[host.\"https://m\"]\n client = [[\"a\",\"b\",\"c\"]]", "client"}}) {
            write("r.example", bad[0]);
            RuntimeFault fault = assertThrows(RuntimeFault.class, () -> endpoints("r.example"), bad[0]);
            assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
            assertTrue(fault.getMessage().contains("hosts.toml") && fault.getMessage().contains(bad[1]), fault.getMessage());
        }
    }
}
