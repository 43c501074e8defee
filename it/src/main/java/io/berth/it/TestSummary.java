package io.berth.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * Sums up the reports of a test run: each class with counts and time, what was skipped and why, what failed. The last line
 * is {@code N passed, N failed, N skipped}. Started as a source file by {@code berth test}, so it needs nothing but a JDK.
 */
public final class TestSummary {

    private record Case(String name, String kind, String reason) {}

    private record Suite(String module, String name, double seconds, List<Case> cases) {
        long count(String kind) {
            return cases.stream().filter(each -> each.kind.equals(kind)).count();
        }
    }

    private static final String PASSED = "passed";
    private static final String FAILED = "failed";
    private static final String SKIPPED = "skipped";

    private final DocumentBuilder parser;

    private TestSummary() throws ParserConfigurationException {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        parser = factory.newDocumentBuilder();
    }

    /** Arguments: the directory of the project and the exit code of the build. Ends with 0 only when both are good. */
    public static void main(String[] arguments) throws Exception {
        List<Suite> suites = new TestSummary().suites(Path.of(arguments[0]));
        boolean built = arguments[1].equals("0");
        print(suites);
        long failed = suites.stream().mapToLong(suite -> suite.count(FAILED)).sum();
        if (!built) {
            System.out.println("The build itself failed (see above), so tests are missing from this list.");
        }
        System.out.println(suites.stream().mapToLong(suite -> suite.count(PASSED)).sum() + " passed, " + failed + " failed, "
                + suites.stream().mapToLong(suite -> suite.count(SKIPPED)).sum() + " skipped");
        System.exit(built && failed == 0 ? 0 : 1);
    }

    private List<Suite> suites(Path project) throws IOException, SAXException {
        List<Path> reports;
        try (Stream<Path> files = Files.find(project, 4, (path, attributes) ->
                path.getFileName().toString().matches("TEST-.*\\.xml") && path.getParent().endsWith("target/surefire-reports"))) {
            reports = files.sorted().toList();
        }
        List<Suite> suites = new ArrayList<>();
        for (Path report : reports) {
            Document document = parser.parse(report.toFile());
            Element top = document.getDocumentElement();
            String module = project.relativize(report).getName(0).toString();
            suites.add(new Suite(module, top.getAttribute("name"), Double.parseDouble(top.getAttribute("time")), cases(top)));
        }
        return suites;
    }

    private static List<Case> cases(Element suite) {
        List<Case> cases = new ArrayList<>();
        NodeList found = suite.getElementsByTagName("testcase");
        for (int i = 0; i < found.getLength(); i++) {
            Element each = (Element) found.item(i);
            String name = each.getAttribute("name");
            Element failure = child(each, "failure", "error");
            Element skipped = child(each, "skipped");
            if (failure != null) {
                cases.add(new Case(name, FAILED, failure.getTextContent().strip()));
            } else if (skipped != null) {
                cases.add(new Case(name, SKIPPED, reason(skipped)));
            } else {
                cases.add(new Case(name, PASSED, ""));
            }
        }
        return cases;
    }

    // A skip by annotation has its reason in the attribute, one by an assumption in the text, as the exception's first line.
    private static String reason(Element skipped) {
        String message = skipped.getAttribute("message").strip();
        return !message.isEmpty() ? message : skipped.getTextContent().strip().lines().findFirst().orElse("")
                .replaceFirst("^[\\w.]+Exception: (Assumption failed: )?", "");
    }

    private static Element child(Element parent, String... names) {
        for (String name : names) {
            NodeList found = parent.getElementsByTagName(name);
            if (found.getLength() > 0) {
                return (Element) found.item(0);
            }
        }
        return null;
    }

    private static void print(List<Suite> suites) {
        System.out.printf(Locale.ROOT, "%n%-10s %-60s %6s %6s %7s %8s%n", "MODULE", "TEST CLASS", "PASSED", "FAILED",
                "SKIPPED", "SECONDS");
        for (Suite suite : suites) {
            System.out.printf(Locale.ROOT, "%-10s %-60s %6d %6d %7d %8.1f%n", suite.module, suite.name,
                    suite.count(PASSED), suite.count(FAILED), suite.count(SKIPPED), suite.seconds);
        }
        list("Skipped, with the reason:", SKIPPED, suites, 1);
        list("Failed:", FAILED, suites, 12);
        System.out.println();
    }

    private static void list(String title, String kind, List<Suite> suites, int lines) {
        if (suites.stream().allMatch(suite -> suite.count(kind) == 0)) {
            return;
        }
        System.out.println();
        System.out.println(title);
        for (Suite suite : suites) {
            suite.cases.stream().filter(each -> each.kind.equals(kind)).forEach(each -> {
                System.out.println("  " + suite.name + (each.name.isEmpty() ? "" : "." + each.name));
                (each.reason.isEmpty() ? "no reason given" : each.reason).lines().limit(lines)
                        .forEach(line -> System.out.println("      " + line));
            });
        }
    }
}
