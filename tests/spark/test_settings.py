"""The settings of the batch from environment variables. No password appears where it may be printed."""

import os
from contextlib import closing
from urllib.parse import quote

import psycopg2
import pytest

from spark_jobs.database import Database, database_from
from spark_jobs.settings import (
    ConfigurationError,
    RankingParameters,
    ranking_parameters_from,
    storage_from,
    storage_uri,
)
from spark_jobs.warehouse.connection import Connection

URL = "postgres://vitrina:pass-word@db.example:6432/ads"
ALL = {"RAW_URI": "s3a://bucket/raw", "LAKE_URI": "s3a://bucket/lake"}


def database(url):
    return Database.from_url(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_url_gives_host_port_name_user_and_password(scheme):
    read = database(URL.replace("postgres", scheme))

    assert (read.host, read.port, read.name, read.user, read.password) == (
        *("db.example", 6432, "ads"),
        *("vitrina", "pass-word"),
    )


def test_the_port_is_postgresqls_own_unless_given():
    assert database("postgres://u:p@h/n").port == 5432


def test_the_password_may_be_missing():
    assert database("postgres://u@h/n").password == ""


@pytest.mark.parametrize("password", ["p@ss/w:rd?#%&+ []", "пароль", "%41", "a+b"])
def test_a_password_may_be_percent_encoded(password):
    encoded = "".join(f"%{byte:02X}" for byte in password.encode())

    assert database(f"postgres://u:{encoded}@h/n").password == password


def test_user_and_name_may_be_percent_encoded():
    read = database("postgres://the%40user:p@h/the%2Fname")

    assert (read.user, read.name) == ("the@user", "the/name")


def test_an_ipv6_host_has_brackets_only_in_urls():
    read = database("postgres://u:p@[2001:db8::1]:6432/n")

    assert read.libpq_parameters["host"] == "2001:db8::1"
    assert read.jdbc_url == "jdbc:postgresql://[2001:db8::1]:6432/n"


def test_parameters_of_the_query_reach_both_drivers():
    read = database(f"{URL}?sslmode=verify-full&sslrootcert=/etc/ssl/the%20ca.pem")

    assert read.libpq_parameters["sslmode"] == "verify-full"
    assert read.libpq_parameters["sslrootcert"] == "/etc/ssl/the ca.pem"
    assert read.jdbc_url == (
        "jdbc:postgresql://db.example:6432/ads?sslmode=verify-full&sslrootcert=%2Fetc%2Fssl%2Fthe+ca.pem"
    )


@pytest.mark.parametrize("name", ["ads", "a%2Bb", "a%3Fb", "a%20b", "50%25", "a%2Fb"])
def test_the_jdbc_url_keeps_the_name_encoded(name):
    assert database(f"postgres://u:p@h/{name}").jdbc_url == f"jdbc:postgresql://h:5432/{name}"


def test_both_drivers_reach_a_database_with_special_characters_in_its_name(stack, spark):
    name = "50% a+b/c?"
    with closing(psycopg2.connect(stack.postgres.url())) as connection:
        connection.autocommit = True
        connection.cursor().execute(f'create database "{name}"')
    special = database(stack.postgres.url(quote(name, safe="")))
    names = spark.read.jdbc(special.jdbc_url, "(select current_database()) as name", properties=special.jdbc_properties)

    with closing(psycopg2.connect(**special.libpq_parameters)) as connection:
        assert connection.info.dbname == name
    assert names.first()[0] == name


@pytest.mark.parametrize("url", [f"{URL}?nonsense=1", URL.replace("pass-word", "pass-word%00"), f"{URL}\udcff"])
def test_what_libpq_does_not_accept_is_a_configuration_error(url):
    with pytest.raises(ConfigurationError, match="DATABASE_URL is not valid: ") as refusal:
        Connection(database(url))

    assert "pass-word" not in str(refusal.value)


def test_the_password_is_a_connection_property_and_never_part_of_the_jdbc_url():
    read = database(URL)

    assert read.jdbc_properties["password"] == "pass-word"
    assert read.jdbc_properties["user"] == "vitrina"
    assert read.jdbc_url == "jdbc:postgresql://db.example:6432/ads"


def test_printing_a_database_never_shows_the_password():
    read = database(URL)

    assert "pass-word" not in f"{read} {read!r}"
    assert "db.example" in repr(read)


@pytest.mark.parametrize("parameter", ["password", "sslpassword", "user", "host", "port", "dbname"])
def test_a_parameter_with_its_own_part_of_the_url_is_refused_in_the_query(parameter):
    with pytest.raises(ConfigurationError, match=f"DATABASE_URL.*{parameter}") as refusal:
        database(f"{URL}?{parameter}=hush-hush")

    assert "hush-hush" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://vitrina:pass-word@db.example/ads",
        "db.example/ads",
        "postgres://db.example/ads",
        "postgres://vitrina:pass-word@/ads",
        "postgres://vitrina:pass-word@db.example",
        "postgres://vitrina:pass-word@db.example/",
        "postgres://vitrina:pass-word@db.example:port/ads",
        "postgres://vitrina:pass-word@db.example:65536/ads",
        "postgres://vitrina:pass-word@[2001:db8::1/ads",
        "postgres://vitrina:pass-word/with-a-slash@db.example/ads",
        "postgres://vitrina:pass-word#hash@db.example/ads",
    ],
)
def test_a_bad_url_is_refused_without_quoting_it(url):
    with pytest.raises(ConfigurationError) as refusal:
        database_from({"DATABASE_URL": url})

    assert str(refusal.value) == "DATABASE_URL is not of the form postgres://user:password@host:port/name"
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize("environment", [{}, {"DATABASE_URL": ""}])
def test_a_missing_url_is_named(environment):
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL is not set; conf/env\.example says what it is$"):
        database_from(environment)


def test_the_libpq_parameters_open_a_connection():
    parameters = database_from(os.environ).libpq_parameters

    with closing(psycopg2.connect(**parameters)) as connection, connection.cursor() as cursor:
        cursor.execute("select current_user, current_database()")
        assert cursor.fetchone() == (parameters["user"], parameters["dbname"])


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("s3://bucket/raw", "s3a://bucket/raw"),
        ("s3n://bucket/raw", "s3a://bucket/raw"),
        ("s3a://bucket/raw", "s3a://bucket/raw"),
        ("s3a://bucket/raw/", "s3a://bucket/raw"),
        ("s3://bucket", "s3a://bucket"),
        ("s3a://bucket/s3://odd", "s3a://bucket/s3://odd"),
        ("file:///data/raw", "file:///data/raw"),
        ("hdfs://nameservice/raw", "hdfs://nameservice/raw"),
        ("abfss://box@account.example/raw", "abfss://box@account.example/raw"),
    ],
)
def test_a_storage_uri_is_converted_for_spark(given, read):
    assert storage_uri(given, "RAW_URI") == read


@pytest.mark.parametrize(
    "given", ["raw", "/data/raw", "bucket/raw", "://bucket", "s3a://", "s3:///raw", " s3://bucket"]
)
@pytest.mark.parametrize("name", ["RAW_URI", "LAKE_URI"])
def test_a_bad_storage_uri_is_named_and_quoted(given, name):
    with pytest.raises(ConfigurationError) as refusal:
        storage_from({**ALL, name: given})

    assert str(refusal.value) == f"{name} is '{given}', which is not a URI; write s3a://bucket/folder or file:///folder"


def test_a_storage_uri_that_the_ledger_could_not_store_is_refused():
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        storage_from({**ALL, "RAW_URI": "file:///raw/\udcff"})


@pytest.mark.parametrize("name", ["RAW_URI", "LAKE_URI"])
def test_a_missing_uri_is_named(name):
    with pytest.raises(ConfigurationError, match=f"^{name} is not set; conf/env.example says what it is$"):
        storage_from({**ALL, name: ""})


def test_an_argument_overrides_its_variable():
    storage = storage_from(ALL, raw_uri="s3://other/raw", lake_uri="file:///lake")

    assert (storage.raw_uri, storage.lake_uri) == ("s3a://other/raw", "file:///lake")


def test_an_argument_replaces_a_missing_variable():
    assert storage_from({}, "s3a://b/raw", "s3a://b/lake").lake_uri == "s3a://b/lake"


@pytest.mark.parametrize("unset", [{}, {"AWS_ENDPOINT_URL": "", "AWS_REGION": ""}])
def test_endpoint_and_region_are_optional(unset):
    storage = storage_from({**ALL, **unset})

    assert (storage.s3_endpoint, storage.s3_region) == (None, None)


def test_endpoint_and_region_come_from_the_aws_variables():
    storage = storage_from({**ALL, "AWS_ENDPOINT_URL": "http://127.0.0.1:9000", "AWS_REGION": "eu-west-1"})

    assert (storage.s3_endpoint, storage.s3_region) == ("http://127.0.0.1:9000", "eu-west-1")


def test_credentials_are_not_part_of_the_settings():
    storage = storage_from({**ALL, "AWS_ACCESS_KEY_ID": "AKIA-of-mine", "AWS_SECRET_ACCESS_KEY": "hush-hush"})

    assert "AKIA-of-mine" not in repr(storage)
    assert "hush-hush" not in repr(storage)


def test_click_rates_need_no_evidence_by_default():
    assert ranking_parameters_from({"CTR_PRIOR_WEIGHT": "", "MIN_IMPRESSIONS": ""}) == RankingParameters(0, 1)


def test_an_option_overrides_the_evidence_that_a_deployment_requires():
    deployment = {"CTR_PRIOR_WEIGHT": "20", "MIN_IMPRESSIONS": "10"}

    assert ranking_parameters_from(deployment) == RankingParameters(20, 10)
    assert ranking_parameters_from(deployment, ctr_prior_weight="0", min_impressions="5") == RankingParameters(0, 5)


@pytest.mark.parametrize("weight", ["-1", "many", "nan", "inf", "1000001"])
def test_a_bad_prior_weight_is_quoted_and_the_error_says_what_is_valid(weight):
    with pytest.raises(ConfigurationError) as refusal:
        ranking_parameters_from({}, ctr_prior_weight=weight)

    assert str(refusal.value) == (
        f"CTR_PRIOR_WEIGHT (or --ctr-prior-weight) is '{weight}'; write a number from 0 to 1000000, such as 20"
    )


def test_the_half_life_may_be_a_fraction_of_a_day_and_an_option_overrides_the_variable():
    assert ranking_parameters_from({"HALF_LIFE_DAYS": "0.5"}).half_life_days == 0.5
    assert ranking_parameters_from({"HALF_LIFE_DAYS": "0.5"}, half_life_days="14").half_life_days == 14


@pytest.mark.parametrize("half_life", ["0", "0.4", "366", "nan", "week"])
def test_a_bad_half_life_is_refused(half_life):
    with pytest.raises(ConfigurationError, match=r"HALF_LIFE_DAYS .*; write a number from 0.5 to 365, such as 7$"):
        ranking_parameters_from({}, half_life_days=half_life)


@pytest.mark.parametrize("least", ["0", "-1", "1.5", "few", "٣", "1000001", "9" * 5000])
def test_a_bad_minimum_of_impressions_is_refused(least):
    with pytest.raises(ConfigurationError, match=r"write a whole number from 1 to 1000000$"):
        ranking_parameters_from({"MIN_IMPRESSIONS": least})


@pytest.mark.parametrize(
    ("environment", "provider"),
    [
        ({}, None),
        ({"AWS_PROFILE": "nights"}, "ProfileCredentialsProvider"),
        ({"AWS_PROFILE": "nights", "AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, "WebIdentityTokenFileCredentialsProvider"),
        ({"AWS_PROFILE": "nights", "AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ACCESS_KEY_ID": "key"}, None),
    ],
)
def test_keys_come_before_a_web_identity_and_that_before_a_profile(environment, provider):
    found = storage_from({**ALL, **environment}).s3_credentials

    assert (found and found.rpartition(".")[2]) == provider
