#pragma once

/// `stormo bench`: a load test of any server that speaks the group command protocol, or, by texts
/// that the user gives, another one. Its exit status is 0 only if no message was lost, doubled or
/// out of order.
int runBench(int argc, char** argv);
