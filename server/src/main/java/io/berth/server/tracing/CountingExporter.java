package io.berth.server.tracing;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.concurrent.atomic.LongAdder;

/** Counts what the collector took and what it did not. Thread-safe. */
final class CountingExporter implements SpanExporter {

    private final SpanExporter inner;
    private final LongAdder exported = new LongAdder();
    private final LongAdder failed = new LongAdder();

    CountingExporter(SpanExporter inner) {
        this.inner = inner;
    }

    long exported() {
        return exported.sum();
    }

    long failed() {
        return failed.sum();
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
        int count = spans.size();
        CompletableResultCode result = inner.export(spans);
        return result.whenComplete(() -> (result.isSuccess() ? exported : failed).add(count));
    }

    @Override
    public CompletableResultCode flush() {
        return inner.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
        return inner.shutdown();
    }
}
