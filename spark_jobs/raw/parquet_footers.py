"""Footers of Parquet files: their columns and rows, read before Spark reads the files."""

from dataclasses import dataclass
from typing import Any

from spark_jobs.file_system import FileSystem


@dataclass(frozen=True)
class ParquetColumn:
    """A column of a Parquet file, from its footer."""

    name: str
    physical: str
    """The physical type, such as INT64; empty if the column is a list, a map or a struct."""
    logical: str
    """The logical type, such as TIMESTAMP(NANOS,false), or empty."""

    @property
    def type(self) -> str:
        return f"{self.physical or 'group'} {self.logical}".strip()


@dataclass(frozen=True)
class ParquetFooter:
    """The columns of a Parquet file and its number of rows."""

    columns: tuple[ParquetColumn, ...]
    rows: int


def read_footer(system: FileSystem, uri: str) -> ParquetFooter:
    """Return the footer of a Parquet file. Raises Unreadable if it has none."""
    parquet = system.jvm.org.apache.parquet.hadoop
    with system.naming(uri):
        file = parquet.util.HadoopInputFile.fromPath(system.path(uri), system.configuration)
        reader = parquet.ParquetFileReader.open(file)
        fields = list(reader.getFooter().getFileMetaData().getSchema().getFields())
        rows = reader.getRecordCount()
        reader.close()
    return ParquetFooter(tuple(map(_column, fields)), rows)


def _column(field: Any) -> ParquetColumn:
    is_single = field.isPrimitive() and str(field.getRepetition()) != "REPEATED"
    logical = field.getLogicalTypeAnnotation()
    return ParquetColumn(
        name=field.getName(),
        physical=str(field.asPrimitiveType().getPrimitiveTypeName()) if is_single else "",
        logical="" if logical is None else str(logical),
    )
