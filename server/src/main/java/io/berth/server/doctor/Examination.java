package io.berth.server.doctor;

import io.berth.server.config.Config;
import java.util.List;

/** Looks at one area. Never fails: what cannot be seen is a finding. */
@FunctionalInterface
interface Examination {

    List<Finding> look(Host host, Config config);
}
