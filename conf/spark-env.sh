# Sourced by spark-submit. Spark starts in half the time with the class archive that `make setup` made; where there is none,
# or one of another Java, nothing changes.
if [ -f "${SPARK_HOME:-}/classes.jsa" ]; then
  SPARK_SUBMIT_OPTS="${SPARK_SUBMIT_OPTS:-} -XX:SharedArchiveFile=$SPARK_HOME/classes.jsa -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off"
fi
# The JVM that only puts the command line together is not worth compiling for.
SPARK_LAUNCHER_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
