package io.berth.server.doctor;

import io.berth.base.RuntimeFault;
import io.berth.server.config.Config;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Looks at everything that Berth needs of a machine. Reads only. */
public final class Doctor {

    private static final Map<String, Examination> EXAMINATIONS = new LinkedHashMap<>();

    static {
        EXAMINATIONS.put("kernel", new ExamineKernel());
        EXAMINATIONS.put("cgroups", new ExamineCgroups());
        EXAMINATIONS.put("runtimes", new ExamineRuntimes());
        EXAMINATIONS.put("snapshotters", new ExamineSnapshotters());
        EXAMINATIONS.put("network", new ExamineNetwork());
        EXAMINATIONS.put("registries", new ExamineRegistries());
        EXAMINATIONS.put("extensions", new ExamineExtensions());
        EXAMINATIONS.put("disk", new ExamineDisk());
        EXAMINATIONS.put("clock", new ExamineClock());
    }

    private Doctor() {}

    /** All findings, area by area. */
    public static List<Finding> examine(Host host, Config config) {
        List<Finding> found = new ArrayList<>();
        EXAMINATIONS.forEach((area, examination) -> {
            try {
                found.addAll(examination.look(host, config));
            } catch (RuntimeFault fault) {
                found.add(Finding.warning(area, "it could not be examined: " + fault.getMessage(), "see whether root can"));
            }
        });
        return found;
    }
}
