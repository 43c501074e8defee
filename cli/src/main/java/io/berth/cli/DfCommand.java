package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.output.Listing;
import io.berth.cli.output.Table;
import io.berth.cli.output.Words;
import io.berth.cri.v1.Container;
import io.berth.cri.v1.FilesystemUsage;
import io.berth.cri.v1.Image;
import io.berth.cri.v1.ImageFsInfoRequest;
import io.berth.cri.v1.ImageFsInfoResponse;
import io.berth.cri.v1.ListContainerStatsRequest;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListImagesRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code berth df}: what images and containers take on disk. */
@Command(name = "df", description = "Show what images and containers take on disk, and what removing unused images would free.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth df", "  berth df -o json"})
final class DfCommand extends DaemonCommand {

    @Mixin
    private OutputOption output;

    @Override
    int run(Connection berth) throws InterruptedException {
        return output.show(out(), () -> {
            ImageFsInfoResponse info = berth.images().imageFsInfo(ImageFsInfoRequest.getDefaultInstance());
            return Listing.of(info, () -> table(berth, info));
        });
    }

    private static Table table(Connection berth, ImageFsInfoResponse info) {
        List<Image> images = berth.images().listImages(ListImagesRequest.getDefaultInstance()).getImagesList();
        Set<String> used = berth.runtime().listContainers(ListContainersRequest.getDefaultInstance()).getContainersList()
                .stream().map(Container::getImageRef).collect(Collectors.toSet());
        List<Image> unused = images.stream().filter(image -> !image.getPinned() && !used.contains(image.getId())
                && image.getRepoDigestsList().stream().noneMatch(used::contains)).toList();
        long layers = berth.runtime().listContainerStats(ListContainerStatsRequest.getDefaultInstance()).getStatsList()
                .stream().mapToLong(stats -> stats.getWritableLayer().getUsedBytes().getValue()).sum();
        Table table = new Table("WHAT", ">COUNT", ">SIZE", "WHERE");
        for (FilesystemUsage usage : info.getImageFilesystemsList()) {
            table.row("images and layers", images.size(), Words.bytes(usage.getUsedBytes().getValue()),
                    usage.getFsId().getMountpoint());
        }
        table.row("of these unused", unused.size(), "<= " + Words.bytes(unused.stream().mapToLong(Image::getSize).sum()), "");
        table.row("containers' own files", used.isEmpty() ? 0 : berth.runtime().listContainers(
                ListContainersRequest.getDefaultInstance()).getContainersCount(), Words.bytes(layers), "");
        for (FilesystemUsage usage : info.getImageFilesystemsList()) {
            table.row("free on the file system", "", free(usage.getFsId().getMountpoint()), usage.getFsId().getMountpoint());
        }
        return table;
    }

    private static String free(String path) {
        try {
            return Words.bytes(Files.getFileStore(Path.of(path)).getUsableSpace());
        } catch (IOException notOnThisMachine) {
            return "?";
        }
    }
}
