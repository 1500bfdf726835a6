# What configure says, what the programs link, what make install puts where,
# and that the house's own checks can fail.  Not under the sanitizers, which
# change none of it.
BUILD_TESTS = %D%/configure.sh %D%/install.sh %D%/links.sh %D%/layers.sh \
	%D%/quickstart.sh %D%/suites.sh %D%/deps.sh %D%/docs.sh
EXTRA_DIST += $(BUILD_TESTS)
if !SANITIZERS
TAP_TESTS += $(BUILD_TESTS)
endif
