package io.berth.nri.conflict;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.berth.nri.v1.Field;
import io.berth.nri.v1.LinuxResources;

/**
 * Takes over limits one by one, each claimed for its plugin first.
 *
 * @param container whose limits they are
 */
record MergeResources(Owners owners, String container, String plugin) {

    // The fields of memory and CPU are numbered in the order of their Field values.
    private static final int BEFORE_MEMORY = Field.MemLimit_VALUE - 1;
    private static final int BEFORE_CPU = Field.CPUShares_VALUE - 1;

    void merge(LinuxResources wanted, LinuxResources.Builder target) {
        simple(wanted.getMemory(), target.getMemoryBuilder(), BEFORE_MEMORY);
        simple(wanted.getCpu(), target.getCpuBuilder(), BEFORE_CPU);
        wanted.getHugepageLimitsList().forEach(limit -> {
            owners.claim(container, Field.HugepageLimits, limit.getPageSize(), plugin);
            for (int i = target.getHugepageLimitsCount() - 1; i >= 0; i--) {
                if (target.getHugepageLimits(i).getPageSize().equals(limit.getPageSize())) {
                    target.removeHugepageLimits(i);
                }
            }
            target.addHugepageLimits(limit);
        });
        wanted.getUnifiedMap().forEach((key, value) -> {
            owners.claim(container, Field.CgroupsUnified, key, plugin);
            target.putUnified(key, value);
        });
        if (wanted.hasBlockioClass()) {
            owners.claim(container, Field.BlockioClass, plugin);
            target.setBlockioClass(wanted.getBlockioClass());
        }
        if (wanted.hasRdtClass()) {
            owners.claim(container, Field.RdtClass, plugin);
            target.setRdtClass(wanted.getRdtClass());
        }
        if (wanted.hasPids()) {
            owners.claim(container, Field.PidsLimit, plugin);
            target.setPids(wanted.getPids());
        }
        target.addAllDevices(wanted.getDevicesList());
    }

    private void simple(Message wanted, Message.Builder target, int before) {
        for (var entry : wanted.getAllFields().entrySet()) {
            FieldDescriptor field = entry.getKey();
            owners.claim(container, Field.forNumber(before + field.getNumber()), plugin);
            target.setField(field, entry.getValue());
        }
    }
}
