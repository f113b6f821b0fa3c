# Sourced by spark-submit. Spark starts in half the time with the class archive that `make setup` made; where there is none,
# or one of another Java, nothing changes.
if [ -e .venv/spark ] && ! [ .venv/spark -ef "$SPARK_HOME" ]; then
  # conf/spark-defaults.conf puts the jars of this path first, and they must be ours
  echo "conf/spark-env.sh: .venv/spark in this folder is not $SPARK_HOME; start spark-submit in another folder" >&2
  exit 1
fi
if [ -f "$SPARK_HOME/classes.jsa" ]; then
  SPARK_SUBMIT_OPTS="${SPARK_SUBMIT_OPTS:-} -XX:SharedArchiveFile=$SPARK_HOME/classes.jsa -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off"
fi
# The JVM that only puts the command line together is not worth compiling for.
SPARK_LAUNCHER_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
