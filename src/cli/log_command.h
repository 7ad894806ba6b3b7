#pragma once

/// `stormo log DIR`: shows what the files of a Channel's log hold, without changing them, also of a
/// damaged log and of one that is being written. With --verify its exit status is 1 if something is
/// damaged.
int runLog(int argc, char** argv);
