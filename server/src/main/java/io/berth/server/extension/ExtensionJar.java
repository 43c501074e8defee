package io.berth.server.extension;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * A jar in the directory of extensions, looked at without running anything of it.
 *
 * @param file the jar
 */
public record ExtensionJar(Path file) {

    private static final String SERVICE = "META-INF/services/io.berth.extension.Extension";
    private static final int STICKY = 01000;
    private static final long CLASS_BYTES = 16 << 20;
    private static final long SETTINGS_BYTES = 1 << 20;
    private static final Map<String, Set<String>> ENDS_THE_MACHINE = Map.of("java/lang/System", Set.of("exit"),
            "java/lang/Runtime", Set.of("exit", "halt"));

    /**
     * The jars of {@code directory} in the order of their names.
     *
     * @throws RuntimeFault FAILED_PRECONDITION when it does not exist or cannot be read
     */
    public static List<ExtensionJar> in(Path directory) {
        if (!Files.isDirectory(directory)) {
            // Perhaps not mounted yet: a policy that is missing must not be taken for one that accepts.
            throw RuntimeFault.precondition("list extensions in " + directory
                    + ": there is no such directory: make it, or unset extensions.directory");
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".jar")).sorted().map(ExtensionJar::new).toList();
        } catch (IOException e) {
            throw RuntimeFault.precondition("list extensions in " + directory + ": " + RuntimeFault.reason(e));
        }
    }

    /** What people call it: the file's name without its ending. */
    public String name() {
        return file.getFileName().toString().replaceFirst("\\.jar$", "");
    }

    /** Why it must not be loaded; empty when nothing speaks against it. */
    public Optional<String> problem() {
        try {
            Optional<String> writable = writableOnTheWayTo(file);
            if (writable.isEmpty() && Files.exists(settingsFile())) {
                writable = writableOnTheWayTo(settingsFile());
            }
            return writable.isPresent() ? writable : contentProblem();
        } catch (IOException | RuntimeException e) {
            // The parser of class files throws its own for those that are malformed.
            return Optional.of("it cannot be read: " + e.getMessage());
        }
    }

    // Whoever writes here, or can put another directory in the place of one above, runs as Berth does. Links are followed
    // first: what counts is the file that is loaded.
    private static Optional<String> writableOnTheWayTo(Path named) throws IOException {
        Object own = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        for (Path path = named.toRealPath(); path != null; path = path.getParent()) {
            int mode = (int) Files.getAttribute(path, "unix:mode");
            Object owner = Files.getAttribute(path, "unix:uid");
            // In a sticky directory, as /tmp is, nobody can rename what is another's.
            boolean others = (mode & 022) != 0 && ((mode & STICKY) == 0 || !Files.isDirectory(path));
            if (others || !owner.equals(own) && !owner.equals(0)) {
                return Optional.of(path + " can be written by others: chown it to root and chmod it to go-w");
            }
        }
        return Optional.empty();
    }

    private Optional<String> contentProblem() throws IOException {
        try (JarFile jar = new JarFile(file.toFile())) {
            if (jar.getEntry(SERVICE) == null) {
                return Optional.of("it names no extension: " + SERVICE + " is missing");
            }
            for (JarEntry entry : jar.stream().filter(each -> each.getName().endsWith(".class")).toList()) {
                if (entry.getSize() > CLASS_BYTES) {
                    return Optional.of(entry.getName() + " is larger than " + CLASS_BYTES + " bytes");
                }
                try (InputStream bytes = jar.getInputStream(entry)) {
                    Optional<String> call = endsTheMachine(bytes.readAllBytes());
                    if (call.isPresent()) {
                        return Optional.of(entry.getName().replaceFirst("\\.class$", "") + " calls " + call.get()
                                + ", which would end Berth");
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> endsTheMachine(byte[] bytes) {
        ClassModel model = ClassFile.of().parse(bytes);
        for (MethodModel method : model.methods()) {
            for (CodeElement element : method.code().stream().flatMap(code -> code.elementStream()).toList()) {
                if (element instanceof InvokeInstruction call && ENDS_THE_MACHINE
                        .getOrDefault(call.owner().asInternalName(), Set.of()).contains(call.name().stringValue())) {
                    return Optional.of(call.owner().asInternalName().replaceFirst(".*/", "") + "." + call.name().stringValue());
                }
            }
        }
        return Optional.empty();
    }

    /**
     * What stands in the file of settings beside it.
     *
     * @throws RuntimeFault FAILED_PRECONDITION for one that cannot be read
     */
    Map<String, String> settings() {
        Path source = settingsFile();
        if (!Files.exists(source)) {
            return Map.of();
        }
        try (Reader reader = Files.newBufferedReader(source, StandardCharsets.UTF_8)) {
            if (Files.size(source) > SETTINGS_BYTES) {
                throw RuntimeFault.precondition("read " + source + ": larger than " + SETTINGS_BYTES + " bytes");
            }
            Properties properties = new Properties();
            properties.load(reader);
            Map<String, String> settings = new TreeMap<>();
            properties.stringPropertyNames().forEach(key -> settings.put(key, properties.getProperty(key)));
            return settings;
        } catch (IOException | IllegalArgumentException e) {
            throw RuntimeFault.precondition("read " + source + ": " + e.getMessage());
        }
    }

    private Path settingsFile() {
        return file.resolveSibling(name() + ".properties");
    }

    /** The names of the classes that it offers. */
    List<String> providers() {
        List<String> names = new ArrayList<>();
        try (JarFile jar = new JarFile(file.toFile()); InputStream in = jar.getInputStream(jar.getEntry(SERVICE))) {
            new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().map(line -> line.replaceFirst("#.*", "").strip())
                    .filter(line -> !line.isEmpty()).forEach(names::add);
        } catch (IOException e) {
            throw RuntimeFault.precondition("read extension " + file + ": " + RuntimeFault.reason(e));
        }
        return names;
    }
}
